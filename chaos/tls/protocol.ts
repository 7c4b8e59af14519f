import type { TlsSnapshot } from '../../libs/grpc-lb/src/core/snapshot.js';
import type { Files } from './secrets.js';

export interface TlsBackendArguments {
  readonly files: Files;
}

export interface FromTlsBackend {
  readonly type: 'listening';
  readonly port: number;
}

export interface TlsClientArguments {
  readonly files: Files;
  readonly addresses: readonly string[];
  /** Calls a second. */
  readonly rate: number;
  readonly streams: number;
  readonly replaceWithin: number;
}

export interface ToTlsClient {
  /** `stop`: no more calls; the streams go on. `end`: the streams are canceled. */
  readonly do: 'look' | 'stop' | 'end';
}

export type FromTlsClient =
  | { readonly type: 'ready'; readonly seen: Seen }
  | { readonly type: 'looked'; readonly seen: Seen };

/** What the client has seen so far. */
export interface Seen {
  readonly calls: number;
  /** The first few, and how many. */
  readonly failed: number;
  readonly failures: readonly string[];
  readonly cutStreams: number;
  readonly openStreams: number;
  readonly sockets: number;
  readonly connectionsOpened: number;
  readonly events: Readonly<Record<string, number>>;
  readonly tls: TlsSnapshot;
}

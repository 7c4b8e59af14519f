import type { Metadata, MetadataOptions } from '@grpc/grpc-js';
import type { CallLimits } from '../../core/call/call-limits.js';
import type { Encoding } from './message-codec.js';

/** Options of one call for which grpc-js has none. */
export interface OwnOptions {
  /** The key of `ring_hash`, whatever the policy takes it from. */
  readonly hashKey?: string | undefined;
  readonly limits?: CallLimits | undefined;
  /** The encoding of its requests. */
  readonly compression?: Encoding | undefined;
}

/** The metadata option that passes them through grpc-js's client and interceptors. It is never sent. */
const OWN = Symbol('nestjs-grpc-lb options of one call');

interface Carrying {
  readonly [OWN]?: OwnOptions;
}

/** Adds them to the metadata of one call, which must be a copy of the caller's. */
export function addOwnOptions(metadata: Metadata, own: OwnOptions): void {
  const options: MetadataOptions & Carrying = { ...metadata.getOptions(), [OWN]: own };
  metadata.setOptions(options);
}

export function ownOptionsIn(options: MetadataOptions): OwnOptions | undefined {
  return (options as Carrying)[OWN];
}

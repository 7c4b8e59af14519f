export interface HopSpec {
  readonly port: number;
  /** `127.0.0.1:port` of the next hop; undefined for the last one. */
  readonly next: string | undefined;
  /** Whether it has this package on both sides; else it is stock Nest. */
  readonly balanced: boolean;
  /** Milliseconds that a handler takes before it calls the next hop, at most. */
  readonly work: number;
  /** Milliseconds that the last hop takes. */
  readonly last: number;
}

/** What one hop has seen of one call. Times in milliseconds after the deadline of the first hop. */
export interface HopRecord {
  readonly call: number;
  readonly started: number;
  /** Undefined: it was not cancelled. */
  readonly cancelled: number | undefined;
  /** When the handler has ended; undefined: it runs on. */
  readonly ended: number | undefined;
  readonly criticality: string | undefined;
}

export type FromHop =
  | { readonly type: 'listening' }
  | { readonly type: 'records'; readonly records: readonly HopRecord[] };

export interface ToHop {
  readonly type: 'report';
}

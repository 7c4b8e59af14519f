/**
 * `interceptors`: unary calls through one interceptor. `generated`: unary calls that answer 25 orders of some twenty
 * values each. `generated-one`: unary calls with one such order each way.
 */
export type Kind = 'unary' | 'interceptors' | 'streaming' | 'generated' | 'generated-one';

/** One run of one subject, in a process of its own. */
export interface RunSpec {
  /** As in SUBJECTS of subject.ts. */
  readonly subject: string;
  readonly kind: Kind;
  /** Calls under way at any time. */
  readonly concurrency: number;
  readonly channelOptions: object;
  /** The root of the repository whose build of this package is measured; this one if undefined. */
  readonly build: string | undefined;
  readonly proto: string;
  readonly addresses: readonly string[];
}

/** Messages of one streaming call. */
export const STREAM_MESSAGES = 1000;
export const STREAM_TEXT = 'x'.repeat(1024);
export const UNARY_TEXT = 'a short line, as most requests are';

/** To a subject: receive so many messages, which for unary calls is the number of calls; 0 to exit. */
export interface Receive {
  readonly messages: number;
}

/** From a subject: it is warm, or has received the messages, with the microseconds of CPU and wall time they took. */
export type Report = { readonly type: 'warm' } | ({ readonly type: 'received' } & CpuRun);

/** In microseconds. */
export interface CpuRun {
  readonly cpu: number;
  readonly wall: number;
}

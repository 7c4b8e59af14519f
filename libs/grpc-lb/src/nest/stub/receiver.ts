/** What gets the results of one call: the subscriber of an Observable, a Promise, or a stream that is pulled. */
export interface Receiver {
  /** Whether it takes nothing more. */
  readonly closed: boolean;
  /** False while it has no room for messages; undefined for one that takes whatever comes. */
  readonly wantsMore?: boolean;
  next(message: unknown): void;
  error(error: unknown): void;
  complete(): void;
}

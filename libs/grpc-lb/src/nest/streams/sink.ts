/** Takes the messages of a stream. */
export interface Sink {
  /** Whether it takes another message now. */
  readonly wantsMore: boolean;
  take(message: unknown): void;
  fail(error: unknown): void;
  complete(): void;
}

/** What ended one of the calls of a stream. */
export interface CallEnd {
  /** The gRPC status. */
  readonly code: number;
  readonly details: string;
  /** Whether the server asks the client to begin again elsewhere. */
  readonly beginAgain: boolean;
  /** Whether the call was sent to a server. */
  readonly sent: boolean;
  /** Whether this side has ended the call. */
  readonly local: boolean;
}

/** A server cannot begin where a stream was. */
export interface GapFacts<Req, End> {
  readonly token: unknown;
  /** The request that the stream began with. */
  readonly request: Req;
  readonly end: End;
}

/** How the streams of a method resume. */
export interface ResumeRules<Req, Msg, End extends CallEnd = CallEnd> {
  /** For errors, as in `client FEED, Feed/Watch`. */
  readonly subject: string;
  token(message: Msg): unknown;
  /** Whether the message is only a place to begin at, and is not delivered. */
  readonly bookmark?: ((message: Msg) => boolean) | undefined;
  resume(request: Req, token: unknown): Req;
  /**
   * The identity of a message; without a function, its token. False: messages since the last token may be delivered
   * twice.
   */
  readonly dedupe?: ((message: Msg) => unknown) | false | undefined;
  /** Returns the request to go on with; undefined: the stream ends. */
  readonly onGap?: ((gap: GapFacts<Req, End>) => Req | undefined | Promise<Req | undefined>) | undefined;
  /** The statuses that mean that the token is too old. */
  readonly gapCodes: ReadonlySet<number>;
  /** The statuses after which a stream resumes. */
  readonly codes: ReadonlySet<number>;
  /** Calls in a row, without progress, after which the stream ends. */
  readonly maxAttempts: number;
  /** Milliseconds. */
  readonly initialBackoff: number;
  readonly maxBackoff: number;
  /** Milliseconds that a handover may take. */
  readonly handoverTimeout: number;
}

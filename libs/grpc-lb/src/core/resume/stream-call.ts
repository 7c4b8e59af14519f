import type { MessageFacts } from './message-facts.js';
import type { Repeats } from './repeats.js';

/** A call as the owner of a stream has opened it. */
export interface OpenedCall {
  /** When it was sent, by the clock; when it was opened, if it was not, or if that is not known. */
  readonly since: number;
  /** Asks for the next message; the owner may tell more than one. */
  read(): void;
  cancel(): void;
}

/** Is told what a call receives. */
export interface StreamListener<Msg, End> {
  /** The call has been sent to a server. */
  onSent(): void;
  /** The response headers have come. */
  onHeaders(): void;
  onMessage(message: Msg): void;
  onEnd(end: End): void;
}

/** The stream to which calls belong. */
export interface CallEvents<Msg, End> {
  callOpened(call: StreamCall<Msg, End>): void;
  callMessage(call: StreamCall<Msg, End>, message: Msg): void;
  callEnded(call: StreamCall<Msg, End>, end: End): void;
}

/** One of the calls that carry a stream, one after the other. */
export class StreamCall<Msg, End> implements StreamListener<Msg, End> {
  /** Undefined while it is being opened. */
  handle: OpenedCall | undefined;
  /** Whether it was sent to a server. */
  sent = false;
  /** Whether the server has answered. */
  answered = false;
  #reading = false;
  #ended = false;

  constructor(
    private readonly stream: CallEvents<Msg, End>,
    /** Undefined once it cannot repeat anything any more. */
    public repeats: Repeats | undefined,
  ) {}

  /** By how many messages it is behind the call from which it is to take over. */
  get behind(): number {
    return this.repeats?.behind ?? 0;
  }

  /** Whether a message has been delivered already. */
  repeated({ identity }: MessageFacts<Msg>): boolean {
    return this.repeats?.take(identity) === true;
  }

  /** Called with each message that is new. */
  passed(hasToken: boolean): void {
    if (this.repeats && !this.repeats.passed(hasToken)) this.repeats = undefined;
  }

  read(): void {
    if (this.#reading || this.#ended || !this.handle) return;
    this.#reading = true;
    this.handle.read();
  }

  cancel(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.handle?.cancel();
  }

  onSent(): void {
    this.sent = true;
  }

  onHeaders(): void {
    if (this.#ended) return;
    this.sent = this.answered = true;
    this.stream.callOpened(this);
  }

  onMessage(message: Msg): void {
    if (this.#ended) return;
    this.#reading = false;
    this.sent = this.answered = true;
    this.stream.callMessage(this, message);
  }

  onEnd(end: End): void {
    if (this.#ended) return;
    this.#ended = true;
    this.stream.callEnded(this, end);
  }
}

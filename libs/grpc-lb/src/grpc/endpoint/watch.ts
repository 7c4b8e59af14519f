import { status as Status } from '@grpc/grpc-js';
import type { Cancel, Clock } from '../../core/clock.js';
import { WatchBackoff } from '../../core/connection/watch-backoff.js';
import { printable } from '../../core/printable.js';
import type { Random } from '../../core/random.js';
import { TokenBucket } from '../../core/token-bucket.js';
import { type WatchEnd, type WatchPeer, type WatchRequest, WatchStream } from './watch-stream.js';

/** The rate limit of one stream: 200 messages at once, then 50 per second. Each 4 KiB counts as one more. */
const BURST = 200;
const REFILL_MS = 20;
const BYTES_PER_TOKEN = 4096;
const FLOOD = 'the server sends more than 50 messages a second, or large messages';

export interface WatchListener {
  /** Returns whether the message was readable. */
  received(message: Buffer): boolean;
  /** Returns whether to reopen the watch. `answered`: it has received a readable message. */
  ended(end: WatchEnd, answered: boolean): boolean;
  /** Called when the watch ended early; it is reopened with growing delays. */
  backedOff(reason: string): void;
  /** Called when it has taken or released a stream. */
  openChanged(): void;
}

/**
 * Keeps one server-streaming call open on one connection: reopens it after a wait when it ends, and ends it when the
 * server floods it. The first message of a new stream is the current state, so no update is lost.
 */
export class Watch {
  #stream: WatchStream | undefined;
  #cancelRetry: Cancel | undefined;
  #startedAt = 0;
  #answered = false;
  #stopped = false;
  #budget: TokenBucket;
  readonly #backoff: WatchBackoff;

  constructor(
    private readonly peer: WatchPeer,
    private readonly request: WatchRequest,
    private readonly clock: Clock,
    random: Random,
    private readonly listener: WatchListener,
  ) {
    this.#backoff = new WatchBackoff(random);
    this.#budget = this.#newBudget();
    this.#open();
  }

  /** Whether it takes one of the peer's streams. */
  get open(): boolean {
    return this.#stream !== undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelRetry?.();
    this.#stream?.cancel();
    this.#stream = undefined;
  }

  #newBudget(): TokenBucket {
    return new TokenBucket(BURST, REFILL_MS, this.clock);
  }

  #open(): void {
    this.#startedAt = this.clock.now();
    this.#answered = false;
    this.#budget = this.#newBudget();
    this.#stream = new WatchStream(this.peer, this.request, {
      received: (message) => this.#onMessage(message),
      ended: (end) => this.#onEnd(end),
    });
  }

  #onMessage(message: Buffer): void {
    if (this.#budget.take(1 + message.length / BYTES_PER_TOKEN)) {
      if (this.listener.received(message)) this.#answered = true;
      return;
    }
    this.#stream?.cancel();
    this.#onEnd({ code: Status.RESOURCE_EXHAUSTED, details: FLOOD, fromPeer: false });
  }

  #onEnd(end: WatchEnd): void {
    this.#stream = undefined;
    // The listener may stop the watch, for example by giving up the connection.
    if (this.listener.ended(end, this.#answered) && !this.#stopped) this.#openLater(end);
    this.listener.openChanged();
  }

  #openLater({ code, details }: WatchEnd): void {
    const steady = this.#backoff.isSteady(this.#answered, this.clock.now() - this.#startedAt);
    if (!steady) this.listener.backedOff(code === Status.OK ? 'the server ended the stream' : printable(details));
    this.#cancelRetry = this.clock.after(this.#backoff.next(steady), () => {
      this.#open();
      this.listener.openChanged();
    });
  }
}

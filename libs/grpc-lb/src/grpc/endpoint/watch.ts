import { status as Status } from '@grpc/grpc-js';
import type { Cancel, Clock } from '../../core/clock.js';
import { WatchBackoff } from '../../core/connection/watch-backoff.js';
import { printable } from '../../core/printable.js';
import type { Random } from '../../core/random.js';
import { TokenBucket } from '../../core/token-bucket.js';
import { type WatchEnd, type WatchPeer, type WatchRequest, WatchStream } from './watch-stream.js';

/** What a server may send on one stream: 200 messages at once, then 50 a second. Each 4 KiB count as one more. */
const BURST = 200;
const REFILL_MS = 20;
const BYTES_PER_TOKEN = 4096;
const FLOOD = 'the server sends more than 50 messages a second, or large messages';

export interface WatchListener {
  /** Whether the message could be read. */
  received(message: Buffer): boolean;
  /** Whether the watch is to be opened again. `answered`: it has received a message that could be read. */
  ended(end: WatchEnd, answered: boolean): boolean;
  /** It did not work for long, and is opened again later and later. */
  backedOff(reason: string): void;
  /** It takes a stream, or has given it back. */
  openChanged(): void;
}

/**
 * Keeps one server-streaming call open on one connection: opens it again after a wait when it ends, and ends it when the
 * server floods it. What is sent first on a new stream is the state of that time, so nothing is lost by that.
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

  /** It takes one of the peer's streams. */
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
    // Whoever is told may stop the watch, as when the connection is given up for that.
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

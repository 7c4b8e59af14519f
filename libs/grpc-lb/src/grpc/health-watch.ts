import { status as Status } from '@grpc/grpc-js';
import type { Cancel, Clock } from '../core/clock.js';
import { printable } from '../core/printable.js';
import { jittered, type Random } from '../core/random.js';
import { decodeStatus, encodeRequest, type ServingStatus, WATCH_PATH } from './health-messages.js';
import { type WatchEnd, type WatchPeer, WatchStream } from './watch-stream.js';

/** What is known of a connection's health: nothing before the first answer. */
export type Health = 'unknown' | 'serving' | 'not_serving';

export type HealthListener = (health: Health, reason: string | null) => void;

/** gRFC A17 asks for "exponential backoff"; these are the bounds of grpc's own connection backoff, scaled down. */
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 30_000;
const RETRY_FACTOR = 1.6;
const RETRY_JITTER = 0.2;

/** The server has no health service, so there is nothing to ask: it counts as healthy, and is not asked again. */
export const HEALTH_NOT_OFFERED = 'the server offers no health service';

/**
 * Watches the health of one connection, through that connection (gRFC A17). grpc-js takes no notice of a
 * `healthCheckConfig`. The watch is a stream, but no load.
 */
export class HealthWatch {
  #stream: WatchStream | undefined;
  #cancelRetry: Cancel | undefined;
  #retries = 0;
  /** The present watch has had an answer. */
  #answered = false;
  #stopped = false;

  constructor(
    private readonly peer: WatchPeer,
    private readonly service: string,
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly listener: HealthListener,
  ) {
    this.#watch();
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

  #watch(): void {
    const request = { path: WATCH_PATH, message: encodeRequest(this.service) };
    this.#stream = new WatchStream(this.peer, request, {
      received: (message) => this.#onAnswer(decodeStatus(message)),
      ended: (end) => this.#onEnd(end),
    });
  }

  #onAnswer(answer: ServingStatus | undefined): void {
    if (answer === undefined) return this.listener('not_serving', 'the health service sent what cannot be read');
    this.#retries = 0;
    this.#answered = true;
    if (answer === 'SERVING') this.listener('serving', null);
    else this.listener('not_serving', `health of ${this.#what}: ${answer}`);
  }

  #onEnd({ code, details }: WatchEnd): void {
    this.#stream = undefined;
    // gRFC A17: "If the server returns UNIMPLEMENTED, the client will disable health checking" and "not retry".
    if (code === Status.UNIMPLEMENTED) return this.listener('serving', HEALTH_NOT_OFFERED);
    // A server that ends the stream in peace has still stopped answering for itself.
    this.#retry(code === Status.OK ? 'the health watch ended' : `the health watch failed: ${printable(details)}`);
  }

  #retry(reason: string): void {
    // gRFC A17: after an answer the next attempt is immediate. A proxy may cut a quiet stream now and then; that says
    // nothing about the server, and what it last said stands.
    if (this.#answered) {
      this.#answered = false;
      return queueMicrotask(() => !this.#stopped && this.#watch());
    }
    this.listener('not_serving', reason);
    const delay = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * RETRY_FACTOR ** this.#retries++);
    this.#cancelRetry = this.clock.after(jittered(this.random, delay, RETRY_JITTER), () => this.#watch());
  }

  get #what(): string {
    return this.service === '' ? 'the server' : this.service;
  }
}

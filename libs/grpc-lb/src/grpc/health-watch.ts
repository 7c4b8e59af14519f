import {
  Client,
  type ClientReadableStream,
  credentials,
  Metadata,
  type ServiceError,
  status as Status,
} from '@grpc/grpc-js';
import type { Cancel, Clock } from '../core/clock.js';
import { printable } from '../core/printable.js';
import { jittered, type Random } from '../core/random.js';
import { decodeStatus, encodeRequest, type ServingStatus, WATCH_PATH } from './health-messages.js';
import type { SubchannelInterface } from './experimental.js';

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
  #stream: ClientReadableStream<ServingStatus> | undefined;
  #cancelRetry: Cancel | undefined;
  #retries = 0;
  /** The present watch has had an answer. */
  #answered = false;
  #stopped = false;

  constructor(
    private readonly subchannel: SubchannelInterface,
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
  }

  #watch(): void {
    const client = new Client('health', credentials.createInsecure(), {
      channelOverride: this.subchannel.getChannel(),
    });
    const stream = client.makeServerStreamRequest(
      WATCH_PATH,
      encodeRequest,
      decodeStatus,
      this.service,
      new Metadata(),
    );
    this.#stream = stream;
    stream.on('data', (answer: ServingStatus) => this.#onAnswer(answer));
    stream.on('error', (error: ServiceError) => this.#onError(error));
    // A server that ends the stream in peace has still stopped answering for itself.
    stream.on('status', ({ code }) => {
      if (code === Status.OK) this.#retry('the health watch ended');
    });
  }

  #onAnswer(answer: ServingStatus): void {
    if (this.#stopped) return;
    this.#retries = 0;
    this.#answered = true;
    if (answer === 'SERVING') this.listener('serving', null);
    else this.listener('not_serving', `health of ${this.#what}: ${answer}`);
  }

  #onError(error: ServiceError): void {
    if (this.#stopped) return;
    // gRFC A17: "If the server returns UNIMPLEMENTED, the client will disable health checking" and "not retry".
    this.#stream = undefined;
    if (error.code === Status.UNIMPLEMENTED) return this.listener('serving', HEALTH_NOT_OFFERED);
    this.#retry(`the health watch failed: ${printable(error.details)}`);
  }

  #retry(reason: string): void {
    if (this.#stopped) return;
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

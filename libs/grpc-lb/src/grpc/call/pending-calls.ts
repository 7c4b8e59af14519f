import { Metadata, status as Status } from '@grpc/grpc-js';
import { TokenBucket } from '../../core/token-bucket.js';
import type { ClientContext } from '../context/client-context.js';
import { type PickResult, PickResultType } from '../experimental.js';
import { QUEUE } from './pick.js';
import type { PooledEndpoint } from '../endpoint/pooled-endpoint.js';

/** How often an event says that calls wait or were refused. */
const EVENT_INTERVAL_MS = 1000;
/** How often those that wait are counted anew when the room seems full: grpc-js does not say when one gives up. */
const RECOUNT_INTERVAL_MS = 10;

/**
 * Calls that wait because every connection is at its stream limit. grpc-js keeps them, and offers each to the picker
 * again whenever a new one is published; so they are counted from zero at each publication.
 */
export class PendingCalls {
  /** No connection has room, since the last publication. */
  full = false;
  #pending = 0;
  #republishing = false;
  #recountAfter = -Infinity;
  readonly #saturatedEvents: TokenBucket;
  readonly #rejectedEvents: TokenBucket;
  #republishSoon: NodeJS.Immediate | undefined;

  constructor(
    private readonly context: ClientContext,
    /** Publishes a picker, which makes grpc-js offer all waiting calls again, at once. */
    private readonly republish: () => void,
  ) {
    this.#saturatedEvents = new TokenBucket(1, EVENT_INTERVAL_MS, context.clock);
    this.#rejectedEvents = new TokenBucket(1, EVENT_INTERVAL_MS, context.clock);
  }

  get pending(): number {
    return this.#pending;
  }

  /** A call found every connection full. */
  wait(endpoints: readonly PooledEndpoint[]): PickResult {
    this.full = true;
    const { maxPending } = this.context.loadBalancing.pool;
    if (this.#pending >= maxPending && !this.#republishing) this.#recount();
    if (this.#pending >= maxPending) return this.#refuse(maxPending);
    this.#grow(endpoints);
    this.#pending++;
    if (this.#saturatedEvents.take()) this.context.emit({ type: 'pool_saturated', pending: this.#pending });
    return QUEUE;
  }

  /** A call has ended, or a connection has got room. */
  roomMayHaveCome(): void {
    this.full = false;
    if (this.#pending === 0) return;
    // Once a turn of the event loop, however many calls end in it.
    this.#republishSoon ??= setImmediate(() => {
      this.#republishSoon = undefined;
      this.republish();
    });
  }

  /** A picker is about to be published: all that wait will come by again. */
  published(): void {
    this.full = false;
    this.#pending = 0;
  }

  close(): void {
    clearImmediate(this.#republishSoon);
    this.#pending = 0;
  }

  #recount(): void {
    const now = this.context.clock.now();
    if (now < this.#recountAfter) return;
    this.#recountAfter = now + RECOUNT_INTERVAL_MS;
    this.#republishing = true;
    try {
      this.republish();
    } finally {
      this.#republishing = false;
    }
  }

  #grow(endpoints: readonly PooledEndpoint[]): void {
    let roomToCome = 0;
    let smallest: PooledEndpoint | undefined;
    for (const endpoint of endpoints) {
      roomToCome += endpoint.connections.roomToCome;
      if (
        endpoint.connections.canGrow &&
        (!smallest || endpoint.connections.all.length < smallest.connections.all.length)
      )
        smallest = endpoint;
    }
    // Enough is under way already for those that wait.
    if (roomToCome <= this.#pending) smallest?.connections.grow();
  }

  #refuse(maxPending: number): PickResult {
    if (this.#rejectedEvents.take()) this.context.emit({ type: 'call_rejected', pending: this.#pending, maxPending });
    const { size, maxSize } = this.context.loadBalancing.pool;
    return {
      // DROP, not TRANSIENT_FAILURE: a retry or waitForReady would only bring it back.
      pickResultType: PickResultType.DROP,
      subchannel: null,
      status: {
        code: Status.RESOURCE_EXHAUSTED,
        details:
          `client ${this.context.name}: all connections are at their stream limit and ${maxPending} calls are already pending ` +
          `(pool.maxPending ${maxPending}, pool.size ${size}, pool.maxSize ${maxSize})`,
        metadata: new Metadata(),
      },
      onCallStarted: null,
      onCallEnded: null,
    };
  }
}

import { Metadata, status as Status } from '@grpc/grpc-js';
import { TokenBucket } from '../../core/token-bucket.js';
import type { ClientContext } from '../context/client-context.js';
import { type PickResult, PickResultType } from '../experimental.js';
import { growFor } from '../../core/balancing/members/growth.js';
import type { Member } from '../../core/balancing/members/member.js';
import type { Connection } from '../endpoint/connection.js';
import { QUEUE } from './complete-pick.js';

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
  #count = 0;
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

  get count(): number {
    return this.#count;
  }

  /** A call found every connection full. */
  wait(members: readonly Member<Connection>[]): PickResult {
    this.full = true;
    const { maxPending } = this.context.loadBalancing.pool;
    if (this.#count >= maxPending && !this.#republishing) this.#recount();
    if (this.#count >= maxPending) return this.#refuse(maxPending);
    growFor(this.#count, members);
    this.#count++;
    if (this.#saturatedEvents.take()) this.context.emit({ type: 'pool_saturated', pending: this.#count });
    return QUEUE;
  }

  /** A call has ended, or a connection has got room. */
  released(): void {
    this.full = false;
    if (this.#count === 0) return;
    // Once a turn of the event loop, however many calls end in it.
    this.#republishSoon ??= setImmediate(() => {
      this.#republishSoon = undefined;
      this.republish();
    });
  }

  /** A picker is about to be published: all that wait will come by again. */
  published(): void {
    this.full = false;
    this.#count = 0;
  }

  close(): void {
    clearImmediate(this.#republishSoon);
    this.#count = 0;
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

  #refuse(maxPending: number): PickResult {
    if (this.#rejectedEvents.take()) this.context.emit({ type: 'call_rejected', pending: this.#count, maxPending });
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

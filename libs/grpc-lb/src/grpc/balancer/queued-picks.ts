import { Metadata, status as Status } from '@grpc/grpc-js';
import { TokenBucket } from '../../core/token-bucket.js';
import type { ClientContext } from '../context/client-context.js';
import { type PickResult, PickResultType } from '../experimental.js';
import { growFor } from '../../core/balancing/members/growth.js';
import type { Member } from '../../core/balancing/members/member.js';
import type { Connection } from '../endpoint/connection.js';
import { QUEUE } from './complete-pick.js';

/** How often an event reports pending or rejected calls. */
const EVENT_INTERVAL_MS = 1000;
/**
 * How often pending calls are counted again when the limit seems reached: grpc-js does not report a call that gives up.
 */
const RECOUNT_INTERVAL_MS = 10;

/**
 * Calls of grpc-js's own channel that are pending because every connection is at its stream limit. grpc-js queues them, and passes each to the
 * picker again whenever a new one is published; so the count restarts at zero with each publication.
 */
export class QueuedPicks {
  /** Whether a call has found every connection full since the last publication. */
  full = false;
  #count = 0;
  #republishing = false;
  #recountAfter = -Infinity;
  readonly #saturatedEvents: TokenBucket;
  readonly #rejectedEvents: TokenBucket;
  #republishSoon: NodeJS.Immediate | undefined;

  constructor(
    private readonly context: ClientContext,
    /** Publishes a picker, which makes grpc-js retry all pending calls at once. */
    private readonly republish: () => void,
  ) {
    this.#saturatedEvents = new TokenBucket(1, EVENT_INTERVAL_MS, context.clock);
    this.#rejectedEvents = new TokenBucket(1, EVENT_INTERVAL_MS, context.clock);
  }

  get count(): number {
    return this.#count;
  }

  /** Called when a call has found every connection full. */
  wait(members: readonly Member<Connection>[]): PickResult {
    this.full = true;
    const { maxPending } = this.context.loadBalancing.pool;
    if (this.#count >= maxPending && !this.#republishing) this.#recount();
    if (this.#count >= maxPending) return this.#refuse(maxPending);
    this.#count++;
    growFor(this.#count, members);
    if (this.#saturatedEvents.take()) this.context.emit({ type: 'pool_saturated', pending: this.#count });
    return QUEUE;
  }

  /** Called when a call has ended, or a connection has room again. */
  released(): void {
    this.full = false;
    if (this.#count === 0) return;
    // Republish once per turn of the event loop, however many calls end in it.
    this.#republishSoon ??= setImmediate(() => {
      this.#republishSoon = undefined;
      this.republish();
    });
  }

  /** Called before a picker is published: all pending calls will be picked again. */
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
      // DROP, not TRANSIENT_FAILURE: a retry or waitForReady would only repeat the call.
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

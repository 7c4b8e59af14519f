import { type CallCredentials, type Metadata, status as Status } from '@grpc/grpc-js';
import type { Picker } from '../../core/balancing/calls/picker.js';
import type { Visits } from '../../core/balancing/calls/visits.js';
import { growFor } from '../../core/balancing/members/growth.js';
import type { AttemptKind } from '../../core/call/plan-owner.js';
import { type Offer, PendingCalls } from '../../core/call/pending-calls.js';
import type { PolicySet } from '../../core/policy/policy-set.js';
import { TokenBucket } from '../../core/token-bucket.js';
import type { ClientContext } from '../context/client-context.js';
import type { Connection } from '../endpoint/connection.js';
import { AuthorizingCalls } from './authorizing-calls.js';
import type { WaitReason } from './call-observer.js';
import { hashKeyOf } from './hash-key.js';
import type { AttemptOwner, WireAttempt } from './wire-attempt.js';

/** How often an event reports pending or rejected calls. */
const EVENT_INTERVAL_MS = 1000;

/** A call with an attempt that is to be sent. */
export interface PlaceableCall extends AttemptOwner {
  readonly metadata: Metadata;
  readonly waitForReady: boolean;
  hashKey: string | undefined;
  /** Why the attempt is made. */
  readonly placing: AttemptKind | undefined;
  /** Where the call has been. */
  readonly visits: Visits<Connection>;
  /** Whether its call credentials must be asked before the attempt can be placed. */
  needsAuthorization(channelCredentials: CallCredentials | undefined): boolean;
  /** Whether they were asked so long ago that they must be asked again. */
  readonly isAuthorizationOld: boolean;
  /** Asks the call credentials, and calls back when the attempt can be placed. */
  authorize(channelCredentials: CallCredentials | undefined, placeable: () => void): void;
  /** Called when the attempt has to wait. */
  waits(reason: WaitReason): void;
  /** Sends the attempt; returns false if its connection cannot take it. */
  send(attempt: WireAttempt): boolean;
  /** The attempt cannot be placed. */
  notPlaced(
    refusal: { readonly code: Status; readonly details: string },
    progress: 'exhausted' | 'dropped' | 'not_placed',
  ): void;
  /** Runs code in the async context of the call. */
  runInAsyncScope(action: () => void): void;
}

export type CallPicker = Picker<Connection, WireAttempt, PlaceableCall>;

/** Where the calls of a client go at present. `waiting`: there is no connection yet. */
type Destination =
  | { readonly state: 'idle' }
  | { readonly state: 'waiting' }
  | { readonly state: 'ready'; readonly picker: CallPicker; readonly policies: PolicySet }
  | { readonly state: 'failed'; readonly details: string }
  | { readonly state: 'closed' };

const IDLE: Destination = { state: 'idle' };
const WAITING: Destination = { state: 'waiting' };
const CLOSED: Destination = { state: 'closed' };

/** Why a call would have to wait. */
const REJECTIONS: Readonly<Record<Destination['state'], string>> = {
  idle: 'no endpoint is connected yet',
  waiting: 'no endpoint is connected yet',
  ready: 'all connections are at their stream limit',
  failed: 'no endpoint is ready',
  closed: 'the client is closed',
};
const NO_CREDENTIALS = 'call credentials have not been provided yet';

/** Sends the calls of one client to its endpoints; calls that cannot be sent yet are pending. */
export class CallDispatcher {
  /** When discovery had its first answer, in milliseconds since the epoch; undefined if it has none. */
  resolvedAt: number | undefined;
  #destination: Destination = IDLE;
  /** The call credentials of the channel; undefined if it has none, or before the first connection. */
  #credentials: CallCredentials | undefined;
  readonly #pending: PendingCalls<PlaceableCall>;
  readonly #authorizing: AuthorizingCalls<PlaceableCall>;
  /** Calls whose credentials are asked again, with the places that they have on connections. */
  readonly #renewing = new Map<PlaceableCall, WireAttempt>();
  readonly #saturatedEvents: TokenBucket;
  readonly #rejectedEvents: TokenBucket;
  #wakeScheduled = false;
  /** What the call waits for that blocks those behind it; undefined if they have to be told again. */
  #blockedBy: WaitReason | undefined;

  constructor(
    private readonly context: ClientContext,
    /** Starts discovery, or starts it again after a failure. */
    private readonly connect: () => void,
  ) {
    this.#pending = new PendingCalls((call) => this.#offer(call));
    this.#authorizing = new AuthorizingCalls(
      () => context.loadBalancing.pool.maxPending - this.#pending.size,
      (call) => this.#refuse(call, NO_CREDENTIALS),
    );
    this.#saturatedEvents = new TokenBucket(1, EVENT_INTERVAL_MS, context.clock);
    this.#rejectedEvents = new TokenBucket(1, EVENT_INTERVAL_MS, context.clock);
  }

  /** Calls that wait for an endpoint, or for their call credentials. */
  get pending(): number {
    return this.#pending.size + this.#authorizing.size + this.#renewing.size;
  }

  /** Sends the next attempt of a call, at once or when it can be sent. */
  place(call: PlaceableCall): void {
    const { state } = this.#destination;
    if (state === 'idle' || state === 'failed') this.connect();
    // Otherwise as soon as there is a connection: a token may expire while the call waits for one.
    if (state === 'ready' && call.needsAuthorization(this.#credentials)) return this.#authorize(call);
    const { maxPending } = this.context.loadBalancing.pool;
    // A hedge that has to wait comes too late.
    const hedge = call.placing === 'hedge';
    const { size: before, blocked } = this.#pending;
    if (this.#pending.add(call, hedge ? 0 : maxPending - this.#authorizing.late)) {
      if (blocked) call.waits(this.#blockedBy!);
      return this.#tellPending(before);
    }
    this.#refuse(call, REJECTIONS[this.#destination.state]);
  }

  remove(call: PlaceableCall): void {
    if (this.#pending.size > 0) this.#pending.remove(call);
    if (this.#authorizing.size > 0) this.#authorizing.remove(call);
    if (this.#renewing.size > 0) this.#stopRenewing(call);
  }

  /** The first connection attempt shows the channel's call credentials. */
  set credentials(credentials: CallCredentials | undefined) {
    this.#credentials = credentials;
  }

  /** There is no balancer, or none yet. */
  idle(): void {
    if (this.#destination !== CLOSED) this.#destination = IDLE;
  }

  waiting(): void {
    this.#goTo(WAITING);
  }

  ready(picker: CallPicker, policies: PolicySet): void {
    this.#goTo({ state: 'ready', picker, policies });
  }

  /** Calls fail with UNAVAILABLE, unless they wait for ready. */
  failed(details: string): void {
    this.#goTo({ state: 'failed', details });
  }

  close(): void {
    this.#destination = CLOSED;
    for (const call of [...this.#pending.drain(), ...this.#authorizing.drain(), ...this.#renewing.keys()])
      call.cancelLocally(Status.UNAVAILABLE, 'Channel closed before call started');
  }

  /** Called when a call has ended, or a connection has room again. */
  released(): void {
    if (this.#pending.size === 0 || this.#wakeScheduled) return;
    this.#wakeScheduled = true;
    // After the end of the call has been judged.
    queueMicrotask(() => {
      this.#wakeScheduled = false;
      this.#pending.wake();
    });
  }

  #goTo(destination: Destination): void {
    if (this.#destination === CLOSED) return;
    this.#destination = destination;
    this.#blockedBy = undefined;
    this.resolvedAt ??= Date.now();
    if (this.#pending.size > 0) this.#pending.wake();
  }

  #authorize(call: PlaceableCall): void {
    // What is asked for a call that is refused would be kept by credentials that never answer.
    if (this.#authorizing.late > 0 && this.#authorizing.full) return this.#refuse(call, NO_CREDENTIALS);
    this.#authorizing.add(call);
    call.authorize(this.#credentials, () => {
      this.#authorizing.remove(call);
      this.place(call);
    });
  }

  #offer(call: PlaceableCall): Offer {
    const destination = this.#destination;
    switch (destination.state) {
      case 'ready':
        if (!call.needsAuthorization(this.#credentials)) return this.#pick(call, destination);
        this.#authorize(call);
        return 'taken';
      case 'failed':
        if (call.waitForReady) return this.#wait(call, 'ready', 'waits');
        call.notPlaced({ code: Status.UNAVAILABLE, details: destination.details }, 'not_placed');
        return 'taken';
      case 'closed':
        call.notPlaced({ code: Status.UNAVAILABLE, details: 'Channel has been shut down' }, 'dropped');
        return 'taken';
      default:
        return this.#wait(call, this.resolvedAt === undefined ? 'discovery' : 'connection', 'blocked');
    }
  }

  /** Tells what the call waits for. Its observer may close or configure the client, so that it need not wait any more. */
  #wait(call: PlaceableCall, reason: WaitReason, offer: 'waits' | 'blocked'): Offer {
    const destination = this.#destination;
    call.waits(reason);
    if (offer === 'blocked' && reason !== this.#blockedBy) {
      this.#blockedBy = reason;
      for (const each of this.#pending.behind(call)) each.waits(reason);
    }
    return this.#destination === destination ? offer : this.#offer(call);
  }

  #pick(call: PlaceableCall, destination: Extract<Destination, { state: 'ready' }>): Offer {
    const { picker, policies } = destination;
    const policy = policies.for(call);
    if (policy.keyedBy !== undefined) call.hashKey = hashKeyOf(policy.keyedBy, call.metadata);
    // Each attempt that cannot be sent shows a broken connection, which the next picker leaves out.
    for (let tries = 0; tries <= picker.pickable.length; tries++) {
      const picked = picker.pick(call, call, policy, false, call.visits);
      if (picked === 'full') return this.#full(call, picker);
      if (picked === 'wait') {
        // A call that was refused waits for an endpoint that it has not tried, and that may be full.
        if (call.placing === 'transparent') growFor(this.#pending.sizeWith(call), picker.pickable);
        return this.#wait(call, 'connection', 'waits');
      }
      if (picked === 'none') {
        call.notPlaced({ code: Status.UNAVAILABLE, details: 'the call has tried all endpoints' }, 'exhausted');
        return 'taken';
      }
      if (call.isAuthorizationOld) {
        this.#renew(call, picked);
        return 'taken';
      }
      if (call.send(picked)) return 'taken';
      if (this.#destination !== destination) return this.#offer(call);
    }
    return 'waits';
  }

  /**
   * Asks the credentials of a call again that has waited for long, because what they gave may have expired. Meanwhile it
   * keeps the place that it has waited for; after `LAPSE_AFTER_MS` another call may have it.
   */
  #renew(call: PlaceableCall, picked: WireAttempt): void {
    this.#renewing.set(call, picked);
    call.authorize(this.#credentials, () => {
      this.#renewing.delete(call);
      if (!picked.unconfirmed || !call.send(picked)) this.place(call);
    });
  }

  #stopRenewing(call: PlaceableCall): void {
    this.#renewing.get(call)?.lapse();
    this.#renewing.delete(call);
  }

  #full(call: PlaceableCall, picker: CallPicker): Offer {
    growFor(this.#pending.sizeWith(call), picker.pickable);
    return this.#wait(call, 'stream_limit', 'blocked');
  }

  #tellPending(before: number): void {
    const { size } = this.#pending;
    if (size > before && this.#destination.state === 'ready' && this.#saturatedEvents.take())
      this.context.emit({ type: 'pool_saturated', pending: size });
  }

  /** @param why It would have to wait. */
  #refuse(call: PlaceableCall, why: string): void {
    if (call.placing === 'hedge')
      return call.notPlaced({ code: Status.UNAVAILABLE, details: 'no endpoint is free for a hedge' }, 'exhausted');
    const { pending } = this;
    const { size, maxSize, maxPending } = this.context.loadBalancing.pool;
    if (this.#rejectedEvents.take()) this.context.emit({ type: 'call_rejected', pending, maxPending }, call);
    const details =
      `client ${this.context.name}: ${why} and ${maxPending} calls are already pending ` +
      `(pool.maxPending ${maxPending}, pool.size ${size}, pool.maxSize ${maxSize})`;
    call.notPlaced({ code: Status.RESOURCE_EXHAUSTED, details }, 'dropped');
  }
}

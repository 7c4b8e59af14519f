import { Balancing, type BalancingOwner } from '../../../libs/grpc-lb/src/core/balancing/balancing.js';
import { type Open, Picker } from '../../../libs/grpc-lb/src/core/balancing/calls/picker.js';
import type { ResultKind } from '../../../libs/grpc-lb/src/core/balancing/health/recent-results.js';
import type { Member } from '../../../libs/grpc-lb/src/core/balancing/members/member.js';
import type { EffectiveLoadBalancing } from '../../../libs/grpc-lb/src/core/options/load-balancing.js';
import { OwnStall } from '../../../libs/grpc-lb/src/core/own-stall.js';
import type { Policy } from '../../../libs/grpc-lb/src/core/policy/policy.js';
import { PolicySet } from '../../../libs/grpc-lb/src/core/policy/policy-set.js';
import type { Random } from '../../../libs/grpc-lb/src/core/random.js';
import type { Call } from '../call.js';
import type { EventQueue } from '../engine/event-queue.js';
import type { Job } from '../servers/job.js';
import { endpointOf, type Server } from '../servers/server.js';
import { StreamSession } from '../servers/stream.js';
import { Attempt, type AttemptOwner } from './attempt.js';
import { PlacedCall } from './placed-call.js';
import type { Retries } from './retries.js';
import { Wire } from './wire.js';

export interface ClientListener {
  callEnded(call: Call, failed: boolean, server: Server): void;
}

/** State that all clients of a run share. */
export interface ClientEnvironment {
  readonly queue: EventQueue;
  readonly balancing: EffectiveLoadBalancing;
  /** Milliseconds that a message takes. */
  readonly delay: number;
  readonly listener: ClientListener;
}

/**
 * One client: the balancer of this package, with wires instead of connections. It makes the same decisions as in
 * production.
 */
export class SimClient implements BalancingOwner<Wire>, AttemptOwner {
  readonly #queue: EventQueue;
  readonly #balancing: Balancing<Wire>;
  readonly #open: Open<Wire, PlacedCall>;
  #picker: Picker<Wire, PlacedCall> | undefined;
  #servers: ReadonlyMap<string, Server> = new Map();

  constructor(
    private readonly environment: ClientEnvironment,
    private readonly policy: Policy,
    private readonly retries: Retries,
    random: Random,
  ) {
    const { queue, balancing } = environment;
    this.#queue = queue;
    const around = {
      clock: queue,
      random,
      loadBalancing: balancing,
      zone: undefined,
      // Virtual time never stalls.
      ownStall: new OwnStall(queue),
      emit: () => {},
    };
    this.#balancing = new Balancing(around, this, () => new PolicySet(policy));
    const { attempts } = this.#balancing;
    this.#open = (member, wire, call) => new PlacedCall(attempts, member, wire, call, policy);
  }

  /** Discovery lists these. */
  update(servers: readonly Server[]): void {
    this.#servers = new Map(servers.map((server) => [server.key, server]));
    this.#balancing.adopt(servers.map(endpointOf));
  }

  connect(member: Member<Wire>): Wire {
    return new Wire(this.#servers.get(member.key)!, member, this.#onUp);
  }

  changed(balancing: Balancing<Wire>): void {
    this.#picker = new Picker(balancing, this.#open);
  }

  released(): void {
    // No call waits for room.
  }

  call(call: Call): void {
    call.attempts++;
    const placed = this.#picker!.pick(call, call.info, this.policy, false) as PlacedCall;
    placed.begin();
    const attempt = new Attempt(this, call, placed);
    this.#queue.at(this.#queue.now() + this.environment.delay, attempt);
    const { timeout } = this.retries;
    if (timeout !== undefined) this.#queue.after(timeout, () => this.#giveUp(attempt));
  }

  attemptArrived(attempt: Attempt): void {
    const { server } = attempt.placed;
    if (!attempt.call.info.stream) {
      server.accept(attempt);
      return;
    }
    const deliver = (message: Job): void => server.accept(message);
    new StreamSession(this.#queue, attempt.call, deliver, () => attempt.answered(false));
  }

  attemptAnswered(attempt: Attempt): void {
    if (this.policy.learn && this.policy.reportInterval === undefined)
      attempt.placed.report = attempt.placed.server.report();
    this.#queue.at(this.#queue.now() + this.environment.delay, attempt);
  }

  attemptEnded(attempt: Attempt): void {
    if (!attempt.over) this.#end(attempt, attempt.failed ? 'failed' : 'ok');
  }

  readonly #onUp = (wire: Wire, member: Member<Wire>): void => {
    if (this.policy.reportInterval !== undefined) this.#listen(wire, member, this.policy.reportInterval);
    else if (this.policy.learn) wire.server.startMeter();
  };

  /** Out-of-band reports: one at once, and then at the requested interval. */
  #listen(wire: Wire, member: Member<Wire>, interval: number): void {
    if (!wire.usable) return;
    member.reported(wire.server.report());
    this.#queue.after(interval, () => this.#listen(wire, member, interval));
  }

  #giveUp(attempt: Attempt): void {
    if (attempt.over) return;
    attempt.placed.report = undefined;
    this.#end(attempt, 'timed_out');
  }

  #end(attempt: Attempt, kind: ResultKind): void {
    const { call, placed } = attempt;
    const failed = kind !== 'ok';
    attempt.over = true;
    placed.finish(kind, kind === 'timed_out' ? 'deadline' : 'peer');
    if (!failed) this.retries.succeeded();
    const backoff = failed ? this.retries.failed(call.attempts) : undefined;
    if (backoff === undefined) this.environment.listener.callEnded(call, failed, placed.server);
    else this.#queue.after(backoff, () => this.call(call));
  }
}

import { Balancing, type BalancingOwner } from '../../../libs/grpc-lb/src/core/balancing/balancing.js';
import { type Open, Picker } from '../../../libs/grpc-lb/src/core/balancing/calls/picker.js';
import type { Visits } from '../../../libs/grpc-lb/src/core/balancing/calls/visits.js';
import type { Member } from '../../../libs/grpc-lb/src/core/balancing/members/member.js';
import type { EffectiveLoadBalancing } from '../../../libs/grpc-lb/src/core/options/load-balancing.js';
import type { CallPolicy } from '../../../libs/grpc-lb/src/core/call/call-policy.js';
import { CallThrottle } from '../../../libs/grpc-lb/src/core/call/call-throttle.js';
import { LearnedDelay } from '../../../libs/grpc-lb/src/core/call/learned-delay.js';
import { RetryBudget } from '../../../libs/grpc-lb/src/core/call/retry-budget.js';
import { RetryThrottle } from '../../../libs/grpc-lb/src/core/call/retry-throttle.js';
import { OwnStall } from '../../../libs/grpc-lb/src/core/own-stall.js';
import type { Cancel } from '../../../libs/grpc-lb/src/core/clock.js';
import type { LoadReport } from '../../../libs/grpc-lb/src/core/policy/load-report.js';
import type { CallInfo, Policy } from '../../../libs/grpc-lb/src/core/policy/policy.js';
import { PolicySet } from '../../../libs/grpc-lb/src/core/policy/policy-set.js';
import type { Random } from '../../../libs/grpc-lb/src/core/random.js';
import { Totals } from '../../../libs/grpc-lb/src/core/totals.js';
import type { Call } from '../call.js';
import type { EventQueue } from '../engine/event-queue.js';
import type { Places } from '../places.js';
import type { Job } from '../servers/job.js';
import { endpointOf, type Server } from '../servers/server.js';
import { StreamSession } from '../servers/stream.js';
import type { Attempt } from './attempt.js';
import { type CallModel, callPolicyOf } from './call-model.js';
import { PlacedCall } from './placed-call.js';
import { type CallEnvironment, SimCall } from './sim-call.js';
import { Wire } from './wire.js';

export interface ClientListener {
  callEnded(call: Call, failed: boolean, server: Server | undefined): void;
}

/** What the calls of one method share. */
interface Method {
  readonly policy: CallPolicy;
  /** Undefined if they are not hedged. */
  readonly delay: LearnedDelay | undefined;
}

/** The surroundings of a client. */
export interface ClientEnvironment {
  readonly queue: EventQueue;
  readonly balancing: EffectiveLoadBalancing;
  /** Milliseconds that a message takes. */
  readonly delay: number;
  readonly places: Places;
  /** Where the client is. */
  readonly zone: number;
  /** Which of the clients it is, from 0 on. */
  readonly index: number;
  readonly listener: ClientListener;
}

/**
 * One client: the balancer of this package, with wires instead of connections. It makes the same decisions as in
 * production.
 */
export class SimClient implements BalancingOwner<Wire>, CallEnvironment {
  readonly clock: EventQueue;
  readonly index: number;
  readonly throttle: RetryThrottle | undefined;
  readonly budget: RetryBudget | undefined;
  readonly #queue: EventQueue;
  readonly #balancing: Balancing<Wire>;
  readonly #open: Open<Wire, PlacedCall, CallInfo>;
  readonly #methods = new Map<string, Method>();
  #picker: Picker<Wire, PlacedCall, CallInfo> | undefined;
  #servers: ReadonlyMap<string, Server> = new Map();

  constructor(
    private readonly environment: ClientEnvironment,
    private readonly policy: Policy,
    private readonly model: CallModel,
    readonly random: Random,
  ) {
    const { queue, balancing, places, zone } = environment;
    const { throttling, budget } = model;
    this.#queue = this.clock = queue;
    this.index = environment.index;
    this.throttle = throttling && new RetryThrottle(throttling.maxTokens, throttling.tokenRatio);
    this.budget = budget && new RetryBudget(queue, budget.ratio, budget.minPerSecond);
    const around = {
      clock: queue,
      epoch: () => queue.now(),
      random,
      loadBalancing: balancing,
      zone: places.known && balancing.locality.enabled ? zoneName(zone) : undefined,
      // Virtual time never stalls.
      ownStall: new OwnStall(queue),
      totals: new Totals(),
      emit: () => {},
    };
    this.#balancing = new Balancing(around, this, () => new PolicySet(policy));
    const { attempts } = this.#balancing;
    this.#open = (member, wire, call) => new PlacedCall(attempts, member, wire, call, policy);
  }

  /** Discovery lists these. */
  update(servers: readonly Server[]): void {
    this.#servers = new Map(servers.map((server) => [server.key, server]));
    const { known, serverZone } = this.environment.places;
    this.#balancing.adopt(
      servers.map((server) =>
        known ? { ...endpointOf(server), locality: { zone: zoneName(serverZone(server.index)) } } : endpointOf(server),
      ),
    );
  }

  connect(member: Member<Wire>): Wire {
    const server = this.#servers.get(member.key)!;
    return new Wire(server, member, this.#onUp, (told) => this.#ask(server, told));
  }

  changed(balancing: Balancing<Wire>): void {
    this.#picker = new Picker(balancing, this.#open);
  }

  released(): void {
    // No call waits for room.
  }

  call(call: Call): void {
    new SimCall(call, this.#methodOf(call).policy, this.model.deadline, this).start();
  }

  pick({ info }: Call, visits: Visits<Wire>): PlacedCall | undefined {
    const picked = this.#picker!.pick(info, info, this.policy, false, visits);
    return typeof picked === 'string' ? undefined : picked;
  }

  send(attempt: Attempt): void {
    const { delay, places, zone } = this.environment;
    const distance = places.distance(zone, places.serverZone(attempt.placed.server.index));
    this.#queue.at(this.#queue.now() + delay + distance, attempt);
  }

  arrived(attempt: Attempt): void {
    const { server } = attempt.placed;
    if (!attempt.call.info.stream) {
      server.accept(attempt);
      return;
    }
    const deliver = (message: Job): void => server.accept(message);
    new StreamSession(this.#queue, attempt.call, deliver, () => attempt.answered(false));
  }

  answered(attempt: Attempt): void {
    const { placed, failed } = attempt;
    const wanted = this.policy.learn && this.policy.reportInterval === undefined;
    if (wanted || (failed && placed.server.reportsFailures)) placed.report = placed.server.report();
    this.send(attempt);
  }

  callEnded({ call, startedAt }: SimCall, last: Attempt | undefined, failed: boolean, gaveUp: boolean): void {
    const now = this.#queue.now();
    if (!failed || gaveUp) this.#methodOf(call).delay?.record(now - startedAt, now);
    this.environment.listener.callEnded(call, failed, last?.placed.server);
  }

  #methodOf({ info }: Call): Method {
    let method = this.#methods.get(info.method);
    if (!method) this.#methods.set(info.method, (method = this.#newMethod(info)));
    return method;
  }

  #newMethod({ stream }: CallInfo): Method {
    const { hedge, throttle } = this.model;
    const delay = hedge && !stream ? new LearnedDelay(hedge.quantile) : undefined;
    const refusing = throttle && new CallThrottle(throttle, this.#queue, this.random);
    const policy = callPolicyOf(this.model, delay);
    return { policy: { ...policy, throttle: refusing, acceptedByResponse: stream }, delay };
  }

  readonly #onUp = (wire: Wire, member: Member<Wire>): void => {
    if (this.policy.reportInterval !== undefined) this.#listen(wire, member, this.policy.reportInterval);
    else if (this.policy.learn) wire.server.startMeter();
  };

  /** A question and its answer. */
  #ask(server: Server, told: (report: LoadReport | undefined) => void): Cancel {
    const { delay } = this.environment;
    let cancel = this.#queue.after(delay, () => {
      const report = server.reportsFailures ? server.report() : undefined;
      cancel = this.#queue.after(delay, () => told(report));
    });
    return () => cancel();
  }

  /** Out-of-band reports: one at once, and then at the requested interval. */
  #listen(wire: Wire, member: Member<Wire>, interval: number): void {
    if (!wire.usable) return;
    member.reported(wire.server.report());
    this.#queue.after(interval, () => this.#listen(wire, member, interval));
  }
}

function zoneName(zone: number): string {
  return `zone-${zone}`;
}

import { PeerComparison } from '../../../libs/grpc-lb/src/core/balancing/health/peer-comparison.js';
import type { ResultKind } from '../../../libs/grpc-lb/src/core/balancing/health/recent-results.js';
import { type Counted, Ledger } from '../../../libs/grpc-lb/src/core/balancing/ledger.js';
import type { EffectiveLoadBalancing } from '../../../libs/grpc-lb/src/core/options/load-balancing.js';
import { Choice } from '../../../libs/grpc-lb/src/core/picking/choice.js';
import { routeOf } from '../../../libs/grpc-lb/src/core/balancing/route/route.js';
import type { Policy } from '../../../libs/grpc-lb/src/core/policy/policy.js';
import type { Random } from '../../../libs/grpc-lb/src/core/random.js';
import type { Call } from '../call.js';
import type { EventQueue } from '../engine/event-queue.js';
import type { Job } from '../servers/job.js';
import type { Server } from '../servers/server.js';
import { StreamSession } from '../servers/stream.js';
import { Attempt, type AttemptOwner } from './attempt.js';
import { type EndpointOwner, SimEndpoint } from './endpoint.js';
import type { Retries } from './retries.js';

export interface ClientListener {
  callEnded(call: Call, failed: boolean, server: Server): void;
}

/** What all clients of a run share. */
export interface ClientEnvironment {
  readonly queue: EventQueue;
  readonly balancing: EffectiveLoadBalancing;
  /** Milliseconds that a message is on its way. */
  readonly delay: number;
  readonly listener: ClientListener;
}

/** One client: the balancer of this package without sockets. Choice, ledger, fitness and policy are those of production. */
export class SimClient implements EndpointOwner, AttemptOwner {
  readonly peers: PeerComparison;
  readonly #queue: EventQueue;
  readonly #ledger: Ledger<SimEndpoint, Counted>;
  readonly #endpoints = new Map<Server, SimEndpoint>();
  #choice: Choice<SimEndpoint> | undefined;
  #adopted = false;

  constructor(
    private readonly environment: ClientEnvironment,
    private readonly policy: Policy,
    private readonly retries: Retries,
    private readonly random: Random,
  ) {
    this.#queue = environment.queue;
    this.peers = new PeerComparison(environment.queue, () => environment.balancing.ejection);
    this.#ledger = new Ledger(this.#queue, (endpoint) => this.#onRelease(endpoint));
  }

  /** Discovery names these. */
  update(servers: readonly Server[]): void {
    for (const [server, endpoint] of this.#endpoints) {
      if (servers.includes(server)) continue;
      endpoint.draining = true;
      endpoint.fitness.close();
      this.#endpoints.delete(server);
      this.#onRelease(endpoint);
    }
    const joining = servers.filter((server) => !this.#endpoints.has(server)).map((server) => this.#join(server));
    this.#adopted = true;
    this.policy.members?.([...this.#endpoints.values()]);
    for (const endpoint of joining) this.policy.ready?.(endpoint);
    this.endpointChanged();
  }

  call(call: Call, failedOn?: SimEndpoint): void {
    call.attempts++;
    const probe = this.#choice!.probe(failedOn, call.info);
    const endpoint = probe ?? this.#choice!.pick(call.info, failedOn)!;
    const attempt = new Attempt(this, this.#ledger, call, endpoint);
    probe?.fitness.beginProbe(attempt);
    if (call.info.stream) probe?.fitness.probeStreams(attempt);
    this.#queue.at(this.#queue.now() + this.environment.delay, attempt);
    const { timeout } = this.retries;
    if (timeout !== undefined) this.#queue.after(timeout, () => this.#giveUp(attempt));
  }

  attemptArrived(attempt: Attempt): void {
    const { server } = attempt.endpoint;
    if (!attempt.call.info.stream) {
      server.accept(attempt);
      return;
    }
    const deliver = (message: Job): void => server.accept(message);
    new StreamSession(this.#queue, attempt.call, deliver, () => attempt.answered(false));
  }

  attemptAnswered(attempt: Attempt): void {
    if (this.policy.learn && this.policy.reportInterval === undefined)
      attempt.report = attempt.endpoint.server.report();
    this.#queue.at(this.#queue.now() + this.environment.delay, attempt);
  }

  attemptEnded(attempt: Attempt): void {
    if (!attempt.over) this.#end(attempt, attempt.failed ? 'failed' : 'ok');
  }

  endpointChanged(): void {
    const level = { priority: 0, localZone: [...this.#endpoints.values()], otherZones: [] };
    const traffic = routeOf([level], this.environment.balancing.health);
    this.#choice = new Choice(traffic, this.policy, this.random);
  }

  #join(server: Server): SimEndpoint {
    const { queue, balancing } = this.environment;
    const endpoint = new SimEndpoint(server, queue, this.random, () => balancing, this);
    this.#endpoints.set(server, endpoint);
    if (this.#adopted) endpoint.fitness.startSlowly();
    if (this.policy.reportInterval !== undefined) this.#listen(endpoint, this.policy.reportInterval);
    else if (this.policy.learn) server.startMeter();
    return endpoint;
  }

  /** Reports out of band: one at once, and then as often as was asked for. */
  #listen(endpoint: SimEndpoint, interval: number): void {
    if (endpoint.draining) return;
    this.policy.report?.(endpoint, endpoint.server.report());
    this.#queue.after(interval, () => this.#listen(endpoint, interval));
  }

  #giveUp(attempt: Attempt): void {
    if (attempt.over) return;
    attempt.report = undefined;
    this.#end(attempt, 'timed_out');
  }

  #end(attempt: Attempt, kind: ResultKind): void {
    const { call, endpoint } = attempt;
    const failed = kind !== 'ok';
    const { reservedAt } = attempt.reservation;
    attempt.over = true;
    attempt.reservation.end();
    endpoint.fitness.record(kind, reservedAt, endpoint.fitness.endProbe(attempt));
    const latency = this.#queue.now() - reservedAt;
    this.policy.learn?.(endpoint, call.info, { latency, failed, cutShort: false, report: attempt.report });
    if (!failed) this.retries.succeeded();
    const backoff = failed ? this.retries.failed(call.attempts) : undefined;
    if (backoff === undefined) this.environment.listener.callEnded(call, failed, endpoint.server);
    else this.#queue.after(backoff, () => this.call(call, endpoint));
  }

  #onRelease(endpoint: SimEndpoint): void {
    if (endpoint.draining && endpoint.inFlight === 0) this.policy.forget?.(endpoint);
  }
}

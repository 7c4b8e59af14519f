import { effectiveLoadBalancing, mergeLoadBalancing } from '../../../libs/grpc-lb/src/core/options/load-balancing.js';
import { exponential } from '../engine/distributions.js';
import { EventQueue } from '../engine/event-queue.js';
import { randomFor } from '../engine/seeds.js';
import { StreamClient } from './stream-client.js';
import { type StreamBehavior, type StreamScenario, WATCHED } from './stream-scenario.js';
import { StreamServer } from './stream-server.js';
import { DISCOVERY_MS, type StreamWorld } from './stream-world.js';
import { Subscription } from './subscription.js';

/** What one run has shown. */
export interface StreamResult {
  /** Seconds until every backend carries at least 80 % of the mean; Infinity if that did not happen. */
  readonly filled: number;
  /** Moves in the watched time, in its first ten minutes, and in its busiest minute. */
  readonly moves: number;
  readonly movesInTenMinutes: number;
  readonly movesInBusiestMinute: number;
  /** Streams that moved more than once. */
  readonly movedAgain: number;
  /** Streams opened at one backend in one second, at most. */
  readonly arrivals: number;
  /** The streams of the fullest backend over the mean, at the end. */
  readonly fullestAtEnd: number;
}

/** Runs one scenario with one behavior. */
export function runStreams(
  scenario: StreamScenario,
  behavior: StreamBehavior,
  clients: number,
  seed: number,
): StreamResult {
  return new StreamRun(scenario, behavior, clients, seed).result();
}

class StreamRun implements StreamWorld {
  readonly servers: StreamServer[] = [];
  readonly #queue = new EventQueue();
  readonly #clients: StreamClient[];
  readonly #streams = new Set<Subscription>();
  readonly #moved = new Map<Subscription, number>();
  readonly #moves: number[] = [];
  /** The least full backend, as a share of the mean, second by second. */
  readonly #least: number[] = [];
  readonly #end: number;

  constructor(
    private readonly scenario: StreamScenario,
    behavior: StreamBehavior,
    clients: number,
    private readonly seed: number,
  ) {
    this.#end = scenario.from + WATCHED;
    const balancing = effectiveLoadBalancing(mergeLoadBalancing({}, behavior.balancing));
    this.#clients = Array.from(
      { length: clients },
      (_, i) => new StreamClient(this.#queue, randomFor(seed, 'client', i), behavior, balancing, this.#streamMoved),
    );
    this.#grow(scenario.servers);
    for (const client of this.#clients) client.update(this.servers);
  }

  result(): StreamResult {
    const { scenario, seed } = this;
    scenario.script(this);
    this.#open(scenario.streams);
    this.#arrive(exponential(scenario.lasts / scenario.streams), randomFor(seed, 'arrivals'));
    this.at(scenario.from, () => this.#sample());
    this.at(this.#end, () => this.#queue.stop());
    this.#queue.run();
    for (const client of this.#clients) client.close();
    const filledAt = this.#least.findIndex((least) => least >= 0.8);
    const counts = this.#counts();
    return {
      filled: filledAt < 0 ? Infinity : filledAt,
      moves: this.#moves.length,
      movesInTenMinutes: this.#moves.filter((at) => at < scenario.from + 600_000).length,
      movesInBusiestMinute: busiestMinute(this.#moves),
      movedAgain: [...this.#moved.values()].filter((moves) => moves > 1).length,
      arrivals: Math.max(...this.servers.map(({ busiest }) => busiest)),
      fullestAtEnd: Math.max(...counts) / meanOf(counts),
    };
  }

  readonly at = (time: number, happen: () => void): void => this.#queue.at(time, { run: happen });

  readonly add = (count: number): void => {
    this.#grow(count);
    this.#publish();
  };

  readonly remove = (servers: readonly StreamServer[], grace: number): void => {
    for (const server of servers) server.listed = false;
    this.#publish();
    this.#queue.after(grace, () => this.kill(servers));
  };

  readonly kill = (servers: readonly StreamServer[]): void => {
    for (const server of servers) server.alive = false;
    for (const server of servers) for (const client of this.#clients) client.serverChanged(server);
    for (const server of servers) for (const stream of this.#streams) stream.broken(server);
  };

  readonly revive = (servers: readonly StreamServer[]): void => {
    const random = randomFor(this.seed, 'revive', this.#queue.now());
    for (const server of servers) {
      server.alive = true;
      // Each client finds out at the end of its own backoff.
      for (const client of this.#clients)
        this.#queue.after(random() * DISCOVERY_MS, () => client.serverChanged(server));
    }
  };

  readonly #streamMoved = (stream: Subscription): void => {
    const now = this.#queue.now();
    if (now < this.scenario.from) return;
    this.#moves.push(now);
    this.#moved.set(stream, (this.#moved.get(stream) ?? 0) + 1);
  };

  #grow(count: number): void {
    for (let i = 0; i < count; i++) this.servers.push(new StreamServer(this.servers.length, this.scenario.from));
  }

  #publish(): void {
    const random = randomFor(this.seed, 'discovery', this.#queue.now());
    const listed = this.servers.filter((server) => server.listed);
    for (const client of this.#clients) this.#queue.after(random() * DISCOVERY_MS, () => client.update(listed));
  }

  /** Streams in a steady state: what is left of each is as long as a whole one. */
  #open(count: number): void {
    const [who, ends] = [randomFor(this.seed, 'who'), randomFor(this.seed, 'ends')];
    for (let i = 0; i < count; i++) this.#subscribe(who, ends);
  }

  #arrive(gap: ReturnType<typeof exponential>, random: ReturnType<typeof randomFor>): void {
    this.#queue.after(gap.draw(random), () => {
      this.#subscribe(random, random);
      this.#arrive(gap, random);
    });
  }

  #subscribe(who: () => number, ends: () => number): void {
    const stream = new Subscription(this.#clients[Math.floor(who() * this.#clients.length)]!);
    this.#streams.add(stream);
    stream.open();
    this.#queue.after(exponential(this.scenario.lasts).draw(ends), () => {
      this.#streams.delete(stream);
      stream.cancel();
    });
  }

  #sample(): void {
    const counts = this.#counts();
    this.#least.push(Math.min(...counts) / meanOf(counts));
    this.#queue.after(1000, () => this.#sample());
  }

  #counts(): number[] {
    return this.servers.filter(({ listed, alive }) => listed && alive).map(({ open }) => open);
  }
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function busiestMinute(times: readonly number[]): number {
  let most = 0;
  for (let first = 0, last = 0; last < times.length; last++) {
    while (times[last]! - times[first]! > 60_000) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

import { effectiveLoadBalancing, mergeLoadBalancing } from '../../libs/grpc-lb/src/core/options/load-balancing.js';
import { Call } from './call.js';
import { type CallModel, LIMITS } from './clients/call-model.js';
import { CentralQueue } from './dispatch/central-queue.js';
import type { CallListener, Dispatcher } from './dispatch/dispatcher.js';
import { Fleet } from './dispatch/fleet.js';
import { PerfectKnowledge } from './dispatch/perfect-knowledge.js';
import { EventQueue, type Task } from './engine/event-queue.js';
import { randomFor } from './engine/seeds.js';
import type { Limits, Subject, PolicyFactory } from './subjects.js';
import { clientAt, ONE_PLACE, placeOf } from './places.js';
import { Collector, type RunResult } from './result.js';
import type { Scenario } from './scenario.js';
import { EventLoopServer } from './servers/event-loop-server.js';
import type { Server } from './servers/server.js';
import { Shedder } from '../../libs/grpc-lb/src/server/shedder.js';
import { SlotServer } from './servers/slot-server.js';
import { TurnServer } from './servers/turn-server.js';
import { callInfoOf, drawTrace, meanWork, type Trace } from './workload.js';
import { World } from './world.js';

/** Milliseconds that a message takes over the network. */
export const DELAY_MS = 0.5;

/** One situation, in which subjects are compared. */
export interface Setting {
  readonly scenario: Scenario;
  /** Offered load as a share of the capacity. */
  readonly load: number;
  readonly clients: number;
  readonly seed: number;
  /** Milliseconds that a message takes over the network. */
  readonly delay?: number;
}

export function traceOf({ scenario, load, seed }: Setting): Trace {
  return drawTrace(scenario.workload, (load * scenario.capacity) / meanWork(scenario.workload), seed);
}

/** Replays the trace with one subject. */
export function run(
  setting: Setting,
  trace: Trace,
  subject: Subject,
  createPolicy: PolicyFactory | undefined,
): RunResult {
  const { scenario, seed, delay = DELAY_MS } = setting;
  const queue = new EventQueue();
  const infos = scenario.workload.methods.map(callInfoOf);
  const collector = new Collector(
    trace,
    (call) => infos[trace.method[call]!]!.stream,
    () => queue.stop(),
    crossingOf(setting, trace),
  );
  const listener: CallListener = {
    callEnded: (call, failed, server) => collector.ended(call, failed, server, queue.now()),
  };
  const dispatcher = dispatcherFor(setting, subject, createPolicy, queue, delay, listener);
  const world = new World(
    queue,
    (index) => serverOf(scenario, subject, queue, index),
    randomFor(seed, 'script'),
    scenario.workload.duration,
  );
  world.found(scenario.servers);
  world.open(dispatcher);
  scenario.script?.(world);
  const calls = (i: number): Call => {
    const method = trace.method[i]!;
    return new Call(trace, i, scenario.workload.methods[method]!, infos[method]!);
  };
  new Arrivals(queue, trace, (i) => dispatcher.dispatch(calls(i))).schedule();
  queue.run();
  return collector.result(scenario, world.servers);
}

function dispatcherFor(
  { scenario, clients, seed }: Setting,
  subject: Subject,
  createPolicy: PolicyFactory | undefined,
  queue: EventQueue,
  delay: number,
  listener: CallListener,
): Dispatcher {
  const { places = ONE_PLACE } = scenario;
  if (subject.kind === 'bound') return new CentralQueue(queue, delay, places, listener);
  if (subject.kind === 'oracle') return new PerfectKnowledge(queue, delay, places, listener);
  const balancing = effectiveLoadBalancing(mergeLoadBalancing(scenario.balancing, limitsOf(subject)?.balancing));
  const { subset } = scenario;
  const calls = callModelOf(scenario, subject);
  const options = { clients, createPolicy: createPolicy!, balancing, calls, subset, delay, places, seed };
  return new Fleet(queue, options, listener);
}

function crossingOf({ scenario, clients }: Setting, { who }: Trace): (call: number, server: number) => boolean {
  const { clientZone, serverZone } = scenario.places ?? ONE_PLACE;
  return (call, server) => clientZone(placeOf(clientAt(who[call]!, clients), clients)) !== serverZone(server);
}

function callModelOf({ calls }: Scenario, subject: Subject): CallModel {
  const own = limitsOf(subject)?.calls;
  if ('hedge' in subject && subject.hedge) return { ...LIMITS, ...calls, ...own, hedge: subject.hedge };
  return { ...calls, ...own };
}

function limitsOf(subject: Subject): Limits | undefined {
  return subject.kind === 'config' ? subject.limits : undefined;
}

function serverOf({ slots }: Scenario, subject: Subject, queue: EventQueue, index: number): Server {
  const server = serverWith(slots, queue, index);
  const shedding = limitsOf(subject)?.shedding;
  if (shedding) {
    // Since the start.
    const idle = (): number => queue.now() - server.cpuUsed();
    server.shedder = new Shedder(shedding, () => queue.now(), idle, server.setImmediate);
  }
  return server;
}

function serverWith(slots: Scenario['slots'], queue: EventQueue, index: number): Server {
  if (slots === 'event-loop') return new EventLoopServer(queue, index);
  return slots === 'turns' ? new TurnServer(queue, index) : new SlotServer(queue, index, slots);
}

/** Calls start when the trace says so, whatever happens to earlier ones: an open loop. */
class Arrivals implements Task {
  #next = 0;

  constructor(
    private readonly queue: EventQueue,
    private readonly trace: Trace,
    private readonly make: (call: number) => void,
  ) {}

  schedule(): void {
    if (this.#next < this.trace.size) this.queue.at(this.trace.at[this.#next]!, this);
  }

  run(): void {
    this.make(this.#next++);
    this.schedule();
  }
}

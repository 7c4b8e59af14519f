import { Spillover } from '../../libs/grpc-lb/src/core/locality/spillover.js';
import { createPolicy } from '../../libs/grpc-lb/src/core/policy/create-policy.js';
import { UNKNOWN_CALL } from '../../libs/grpc-lb/src/core/policy/policy.js';
import { type Random, randomBelow, seededRandom } from '../../libs/grpc-lb/src/core/random.js';
import { FakeClock } from '../support/time/fake-clock.js';
import { EventQueue } from './event-queue.js';
import { type Host, hosts } from './hosts.js';

/** Three zones in virtual time: backends with slots and queues, and clients that choose among them. */
export interface World {
  /** Clients in zone a, b and c. */
  readonly clients: readonly [a: number, b: number, c: number];
  /** Calls that arrive, over those that all backends together can serve. */
  readonly load: number;
  readonly seconds: number;
  /** `anywhere`: zones are ignored. `own`: no call leaves its zone. Default `spillover`. */
  readonly mode?: 'anywhere' | 'own' | 'spillover';
  /** As in the options of clients. Default false. */
  readonly spillUtilization?: number | false;
  /** The spread of the work of a call, lognormal. Default 1. */
  readonly sigma?: number;
  /** Zone a is unhealthy for a while: slower by a factor, or it fails each call at once, or never answers. */
  readonly ill?: { readonly from: number; readonly to: number; readonly how: number | 'fails' | 'hangs' };
}

export interface Call {
  readonly at: number;
  readonly crossed: boolean;
  readonly latency: number;
  readonly failed: boolean;
}

export interface Outcome {
  readonly calls: readonly Call[];
  /** The mean share that the clients of zone a send to other zones, at the end of each second. */
  readonly shares: readonly number[];
}

const BACKENDS = 12;
const SLOTS = 8;
const MEAN_MS = 20;
const DEADLINE_MS = 5000;
/** To a backend and back. */
const NEAR_MS = 0.3;
const FAR_MS = 2;
/** Two thirds of the backends are in other zones. */
const EVEN_SHARE = 2 / 3;

interface Backend {
  readonly zone: number;
  busy: number;
  readonly queue: Job[];
}

interface Client {
  readonly all: readonly Host[];
  readonly own: readonly Host[];
  readonly others: readonly Host[];
  readonly zone: number;
  readonly spillover: Spillover;
}

interface Job {
  readonly at: number;
  readonly client: Client;
  readonly host: Host;
  readonly crossed: boolean;
  done: boolean;
}

const zoneOf = (backend: number): number => Math.floor((3 * backend) / BACKENDS);

function clientIn(zone: number, spillUtilization: number | false): Client {
  const all = hosts(Array.from({ length: BACKENDS }, () => 0));
  const side = (own: boolean): Host[] => all.filter((_, i) => (zoneOf(i) === zone) === own);
  const spillover = new Spillover({ minCrossZoneShare: 0.01, spillRatio: 1.5, spillUtilization });
  return { all, own: side(true), others: side(false), zone, spillover };
}

export function simulate({
  load,
  seconds,
  mode = 'spillover',
  spillUtilization = false,
  sigma = 1,
  ill,
  ...world
}: World): Outcome {
  const random = seededRandom(1);
  const events = new EventQueue();
  const policy = createPolicy({ name: 'least_request' }, random, new FakeClock());
  const backends = Array.from({ length: BACKENDS }, (_, i): Backend => ({ zone: zoneOf(i), busy: 0, queue: [] }));
  const clients = world.clients.flatMap((count, zone) =>
    Array.from({ length: count }, () => clientIn(zone, spillUtilization)),
  );
  const calls: Call[] = [];

  const call = (client: Client): void => {
    const crosses = mode === 'spillover' && random() < client.spillover.share(0, EVEN_SHARE);
    const list = mode === 'anywhere' ? client.all : crosses ? client.others : client.own;
    const host = list[policy.pick(list, UNKNOWN_CALL)]!;
    const backend = backends[client.all.indexOf(host)]!;
    const job = { at: events.now, client, host, crossed: backend.zone !== client.zone, done: false };
    host.inFlight++;
    client.spillover.started(!job.crossed, events.now);
    events.after((job.crossed ? FAR_MS : NEAR_MS) / 2, () => {
      backend.queue.push(job);
      serve(backend);
    });
    events.after(DEADLINE_MS, () => end(job, true));
  };

  const serve = (backend: Backend): void => {
    while (backend.busy < SLOTS && backend.queue.length > 0) {
      const job = backend.queue.shift()!;
      if (job.done) continue;
      backend.busy++;
      const how = ill && backend.zone === 0 && events.now >= ill.from && events.now < ill.to ? ill.how : 1;
      const work = lognormal(random, MEAN_MS, sigma);
      events.after(how === 'hangs' ? DEADLINE_MS : how === 'fails' ? 1 : work * how, () => {
        const utilization = backend.busy / SLOTS;
        backend.busy--;
        events.after((job.crossed ? FAR_MS : NEAR_MS) / 2, () => end(job, how === 'fails', utilization));
        serve(backend);
      });
    }
  };

  const end = (job: Job, failed: boolean, utilization?: number): void => {
    if (job.done) return;
    job.done = true;
    job.host.inFlight--;
    const latency = events.now - job.at;
    job.client.spillover.ended(!job.crossed, latency, failed);
    if (utilization !== undefined) job.client.spillover.reported(!job.crossed, utilization);
    calls.push({ at: job.at, crossed: job.crossed, latency, failed });
  };

  const rate = (load * BACKENDS * SLOTS) / MEAN_MS;
  const arrive = (): void => {
    call(clients[randomBelow(random, clients.length)]!);
    events.after(-Math.log(1 - random()) / rate, arrive);
  };
  arrive();

  const ofA = clients.filter(({ zone }) => zone === 0);
  const shares = Array.from({ length: seconds }, (_, second) => {
    events.runUntil(1000 * (second + 1));
    return ofA.reduce((sum, { spillover }) => sum + spillover.share(0, EVEN_SHARE), 0) / ofA.length;
  });
  return { calls, shares };
}

function lognormal(random: Random, mean: number, sigma: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return mean * Math.exp(sigma * normal - sigma ** 2 / 2);
}

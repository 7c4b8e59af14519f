import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Child, node } from '../../apps/demo-client/src/runner/child-process.js';
import type { Subject } from './subjects.js';
import { centralQueue } from './model/bound.js';
import { callsOf } from './model/calls.js';
import type { RunSpec } from './model/run-spec.js';
import type { Backends } from './processes/backends.js';
import { worstOf } from './processes/lateness.js';
import {
  type ClientSeen,
  type ClientTask,
  FAILED,
  type FromClient,
  TIMED_OUT,
  type ToClient,
} from './processes/messages.js';
import { Proxy } from './processes/proxy.js';
import { sharedNow } from './processes/shared-clock.js';
import { mean } from '../sim/engine/quantiles.js';
import { quantilesOf, type RunResult } from './result.js';

const CLIENT = fileURLToPath(new URL('processes/client-process.js', import.meta.url));
/** From the start signal to the first call: all processes have heard of it by then. */
const LEAD_MS = 300;

/** One subject on the calls of one run. */
export async function runOnce(subject: Subject, spec: RunSpec, backends: Backends, proto: string): Promise<RunResult> {
  const proxy = subject.kind === 'proxy' ? await Proxy.start(subject.proxy, backends.addresses) : undefined;
  const addresses = proxy ? [proxy.address] : backends.addresses;
  const clients = Array.from({ length: spec.clients }, (_, client) => {
    const task: ClientTask = { subject: subject.name, addresses, client, spec };
    return new Child<FromClient, ToClient>(node(CLIENT, [proto, JSON.stringify(task)], ['--expose-gc']));
  });
  try {
    await Promise.all(clients.map((client) => client.next('ready')));
    const startsAt = sharedNow() + LEAD_MS;
    await backends.begin(spec, startsAt);
    const machine = machineTime();
    for (const client of clients) client.tell({ startsAt });
    const seen = await Promise.all(clients.map((client) => client.next('done')));
    const { counts, lateness, busy } = await backends.end();
    return {
      subject: subject.name,
      spec,
      ...outcomesOf(seen),
      bound: quantilesOf(centralQueue(spec, callsOf(spec))),
      counts,
      cpu: mean(seen.map(({ cpu }) => cpu)),
      resident: mean(seen.map(({ resident }) => resident)),
      heap: mean(seen.map(({ heap }) => heap)),
      idleCall: mean(seen.map(({ idleCall }) => idleCall)),
      lateStarts: worstOf(seen.map((client) => client.lateness)),
      lateAnswers: lateness,
      busyClient: Math.max(...seen.map((client) => client.busy)),
      busyBackend: busy,
      busyMachine: busyShare(machine, machineTime()),
    };
  } finally {
    await Promise.all(clients.map((client) => client.kill()));
    await proxy?.stop();
  }
}

/** What became of all calls of all clients. */
function outcomesOf(
  seen: readonly ClientSeen[],
): Pick<RunResult, 'calls' | 'timedOut' | 'failed' | 'error' | 'latency'> {
  const outcomes = seen.flatMap(({ latencies, endings }) =>
    Array.from(latencies, (latency, i) => ({ latency, ending: endings[i]! })),
  );
  const calls = outcomes.length;
  const timedOut = outcomes.filter(({ ending }) => ending === TIMED_OUT).length / calls;
  const failed = outcomes.filter(({ ending }) => ending === FAILED).length / calls;
  // A call that failed at once was not fast; one that timed out was slow.
  const counted = outcomes.filter(({ ending }) => ending !== FAILED).map(({ latency }) => latency);
  const error = seen.find((client) => client.error !== undefined)?.error;
  return { calls, timedOut, failed, error, latency: quantilesOf(Float64Array.from(counted)) };
}

interface MachineTime {
  readonly idle: number;
  readonly total: number;
}

/** Milliseconds of all cores since the machine came up. */
function machineTime(): MachineTime {
  const times = cpus().map((cpu) => cpu.times);
  return {
    idle: times.reduce((sum, { idle }) => sum + idle, 0),
    total: times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0),
  };
}

function busyShare(before: MachineTime, after: MachineTime): number {
  return 1 - (after.idle - before.idle) / (after.total - before.total);
}

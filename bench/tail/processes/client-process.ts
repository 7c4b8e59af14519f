/** One client of a run, in a process of its own: `client-process.js <proto> <task>`. */
import 'reflect-metadata';
import { performance } from 'node:perf_hooks';
import { status } from '@grpc/grpc-js';
import { quantile } from '../../sim/engine/quantiles.js';
import { subjectNamed } from '../subjects.js';
import { callsOf } from '../model/calls.js';
import { scenarioNamed } from '../model/scenario.js';
import { type Caller, nestCaller } from './caller.js';
import { Lateness } from './lateness.js';
import { type ClientTask, ENDED_WELL, FAILED, type FromClient, TIMED_OUT, type ToClient } from './messages.js';
import { openLoop } from './open-loop.js';
import { queueCaller } from './queue-caller.js';
import { sharedNow } from './shared-clock.js';

const proto = process.argv[2]!;
const { subject: name, addresses, client, spec } = JSON.parse(process.argv[3]!) as ClientTask;
const subject = subjectNamed(name);
const scenario = scenarioNamed(spec.scenario);
const calls = callsOf(spec);

let startsAt = Infinity;
const slowness = scenario.slowness(spec.seed);
const secondsNow = (): number => Math.max(0, (sharedNow() - startsAt) / 1000);
const caller: Caller =
  subject.kind === 'queue'
    ? queueCaller(
        (backend) => scenario.fails(backend) && secondsNow() >= spec.warmUp,
        (backend) => slowness(backend, Math.floor(secondsNow())),
        proto,
        addresses,
      )
    : await nestCaller(subject, proto, addresses, spec);

// Connections are open before the first call, to all backends where the subject connects to all.
for (let i = 0; i < 10; i++) await Promise.all(addresses.map(() => caller.ping()));
tell({ type: 'ready' });
({ startsAt } = await new Promise<ToClient>((resolve) => process.once('message', resolve)));

process.on('disconnect', () => process.exit());

const lateness = new Lateness();
const latencies: number[] = [];
const endings: number[] = [];
let error: string | undefined;
let before: { cpu: NodeJS.CpuUsage; loop: ReturnType<typeof performance.eventLoopUtilization> } | undefined;

let underWay = 0;
let allEnded = (): void => {};
await openLoop(calls, client, startsAt, (index, intended) => {
  const now = sharedNow();
  const measured = index >= calls.firstMeasured;
  if (measured) {
    lateness.add(now - intended);
    before ??= { cpu: process.cpuUsage(), loop: performance.eventLoopUtilization() };
  }
  underWay++;
  // The deadline counts from the intended start too.
  const deadline = Date.now() + intended - now + spec.deadline;
  caller.work({ index, work: calls.work[index]!, session: String(index) }, deadline, (failure) => {
    if (measured) note(sharedNow() - intended, failure);
    if (--underWay === 0) allEnded();
  });
});
const loop = performance.eventLoopUtilization(before?.loop);
if (underWay > 0) await new Promise<void>((resolve) => (allEnded = resolve));
const { user, system } = process.cpuUsage(before?.cpu);
const resident = process.memoryUsage.rss();

const idle: number[] = [];
for (let i = 0; i < 50; i++) {
  await new Promise((resolve) => setTimeout(resolve, 5));
  const start = sharedNow();
  // A connection that was cut may still be gone.
  const answered = await caller.ping().then(
    () => true,
    () => false,
  );
  if (answered) idle.push(sharedNow() - start);
}
globalThis.gc?.();
tell({
  type: 'done',
  latencies: Float64Array.from(latencies),
  endings: Uint8Array.from(endings),
  lateness: lateness.summary(),
  busy: loop.utilization,
  cpu: (user + system) / latencies.length,
  resident,
  heap: process.memoryUsage().heapUsed,
  idleCall: quantile(Float64Array.from(idle).toSorted(), 0.5),
  error,
});
await caller.close();
process.disconnect();

function note(latency: number, failure: unknown): void {
  latencies.push(latency);
  if (failure === undefined) endings.push(ENDED_WELL);
  else if ((failure as { code?: status }).code === status.DEADLINE_EXCEEDED) endings.push(TIMED_OUT);
  else {
    endings.push(FAILED);
    error ??= failure instanceof Error ? failure.message : 'no error';
  }
}

function tell(message: FromClient): void {
  process.send!(message);
}

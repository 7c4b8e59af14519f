/**
 * Calls of all kinds, a third of them given up at random moments, and then: is everything as it was? Then streams of a
 * gigabyte each way. Ends with 1 if not.
 *
 *   npm run chaos calls -- [--calls 200000] [--seed 1] [--gigabytes 1]
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { CallSoak } from '../test/support/calls/soak.js';
import { now } from './clock.js';
import { bigStreams } from './soak/big-streams.js';
import { type CallCensus, takeCallCensus } from './soak/call-census.js';
import { warnings } from './soak/census.js';

/** What the heap may have grown: compiled code, and tables that have reached their size. */
const HEAP_GROWTH = 2 * 2 ** 20;
/** What streams may add to the memory while they run, whatever their length: buffers, and rubbish not collected yet. */
const STREAM_GROWTH = 64 * 2 ** 20;
/** Timers and connections of what was lost just now are gone: after 12 s some are left, after a minute none. */
const SETTLE_MS = 60_000;
/** Of the calls, before the first census. */
const WARM_UP = 0.1;

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '1' },
    gigabytes: { type: 'string', default: '1' },
  },
});
const count = Number(values.calls);
const missed: string[] = [];
const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;

if (count > 0) await manyCalls();
if (Number(values.gigabytes) > 0) await streams();
missed.push(...warnings);
for (const line of missed) console.log(`MISSED: ${line}`);
if (missed.length === 0) console.log('everything is as it was');
// A census keeps `v8.queryObjects` busy for a while.
process.exit(missed.length > 0 ? 1 : 0);

async function manyCalls(): Promise<void> {
  const soak = await CallSoak.start(Number(values.seed));
  const { calls, servers } = soak;
  const warmUp = Math.round(count * WARM_UP);
  await soak.run(0, warmUp);
  await delay(SETTLE_MS);
  const before = await takeCallCensus(soak);
  const started = now();
  const cpuBefore = process.cpuUsage();
  await soak.run(warmUp, count);
  const seconds = (now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  await delay(SETTLE_MS);
  const after = await takeCallCensus(soak);
  console.log(
    `${count} calls in ${seconds.toFixed(0)} s (${((user + system) / 1e6).toFixed(0)} s of CPU) after ${warmUp} of the same, seed ${values.seed}: ${calls.cancelled} given up, ` +
      `${servers.restarts} restarts, ${servers.refusing.refused} streams refused; ended: ${JSON.stringify(calls.ends)}\n`,
  );
  console.table({ 'warm, idle': before, 'afterwards, idle': after });
  for (const key of [
    'running',
    'inFlight',
    'clientStreams',
    'serverStreams',
    'callListeners',
    'calls',
    'attempts',
  ] as const)
    if (after[key] !== 0) missed.push(`${key}: ${after[key]} are left`);
  for (const key of ['timers', 'sockets', 'listeners', 'connections'] satisfies (keyof CallCensus)[])
    if (after[key] > before[key]) missed.push(`${key}: ${before[key]} before, ${after[key]} afterwards`);
  const growth = after.heap - before.heap;
  if (growth > HEAP_GROWTH) missed.push(`the heap has grown by ${megabytes(growth)}`);
  missed.push(...calls.unexplained);
  soak.close();
}

async function streams(): Promise<void> {
  for (const { direction, bytes, seconds, growth } of await bigStreams(Number(values.gigabytes) * 2 ** 30)) {
    console.log(
      `${megabytes(bytes)} ${direction} in ${seconds.toFixed(0)} s: at most ${megabytes(growth)} more memory`,
    );
    if (growth > STREAM_GROWTH) missed.push(`a stream ${direction} has taken ${megabytes(growth)}`);
  }
}

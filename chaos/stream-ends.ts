/**
 * Streams that a server ends at their age and by drains, server-streaming and bidirectional, and then: is everything as it
 * was? Ends with 1 if not.
 *
 *   npm run chaos stream-ends -- [--streams 10000]
 */
import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import v8 from 'node:v8';
import { EndlessServer, endedStreams, running } from './soak/endless-streams.js';
import { takeCensus, warnings } from './soak/census.js';
import { AgingStream } from '../libs/grpc-lb/src/server/aging-stream.js';
import { CallTracker } from '../libs/grpc-lb/src/server/call-tracker.js';
import { StreamCall } from '../libs/grpc-lb/src/server/stream-call.js';

/** What the heap may have grown: compiled code, and tables that have reached their size. */
const HEAP_GROWTH = 2 * 2 ** 20;
/** So many streams are open at once. */
const AT_ONCE = 500;
/** The last timers and sockets have gone. */
const SETTLE_MS = 8000;

const { values } = parseArgs({ options: { streams: { type: 'string', default: '10000' } } });
const count = Number(values.streams);

async function census() {
  await delay(SETTLE_MS);
  const living = (type: unknown): number => v8.queryObjects(type as () => unknown) as number;
  const { heap, timers, sockets, listeners } = await takeCensus();
  const server = { streamCalls: living(StreamCall), agingStreams: living(AgingStream), trackers: living(CallTracker) };
  return { heap, timers, sockets, listeners, ...server, handlers: running.handlers };
}

/** Half of them end at their age, and half by drains. */
async function endStreams(total: number): Promise<void> {
  const old = await EndlessServer.start({ maxStreamAge: { default: 1000, grace: 0 } });
  for (let ended = 0; ended < total / 2; ended += AT_ONCE) await endedStreams(old, AT_ONCE, 'max_age');
  await old.close();
  for (let ended = 0; ended < total / 2; ended += AT_ONCE) {
    const draining = await EndlessServer.start({ drain: { delay: 0, streamGrace: 0, streamSpread: 500 } });
    await endedStreams(draining, AT_ONCE, 'drain', () => draining.close());
  }
}

await endStreams(count / 5);
const before = await census();
await endStreams(count);
const after = await census();
console.log(`${count} streams ended, after ${count / 5} of the same`);
console.table({ 'warm, idle': before, 'afterwards, idle': after });
const missed = [...warnings];
for (const key of ['streamCalls', 'agingStreams', 'handlers'] as const) {
  if (after[key] !== 0) missed.push(`${key}: ${after[key]} are left`);
}
for (const key of ['timers', 'sockets', 'listeners', 'trackers'] as const) {
  if (after[key] > before[key]) missed.push(`${key}: ${before[key]} before, ${after[key]} afterwards`);
}
const growth = after.heap - before.heap;
if (growth > HEAP_GROWTH) missed.push(`the heap has grown by ${(growth / 2 ** 20).toFixed(1)} MB`);
for (const line of missed) console.log(`MISSED: ${line}`);
if (missed.length === 0) console.log('everything is as it was');
process.exit(missed.length > 0 ? 1 : 0);

/**
 * 500 streams over five backends, through rolling restarts, a kill and an ejection: does every message arrive, once and in
 * order? Ends with 1 if a bound is missed.
 *
 *   npm run chaos streams -- [--plain] [--streams 500] [--rate 2000] [--rounds 2] [--age MS]
 *
 * With `--plain` the streams do not resume by this package: the subscriber opens those that end again. With
 * `--age` the backends end streams at this age.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { now } from './clock.js';
import { LogBackend } from './streams/log-backend.js';
import { LogClientProcess } from './streams/log-client.js';
import type { Schedule } from './streams/schedule.js';
import { type Absence, summary, verdict } from './streams/verdict.js';

const BACKENDS = 5;
/** Compilers and connections are warm after this. */
const WARM_UP_MS = 4000;
/** Streams find their place, and messages that are late arrive. */
const SETTLE_MS = 3000;
const EJECTION_MS = 5000;

const { values } = parseArgs({
  options: {
    plain: { type: 'boolean', default: false },
    streams: { type: 'string', default: '500' },
    rate: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '2' },
    age: { type: 'string' },
  },
});
const schedule: Schedule = { epoch: now() + 5000, logs: Number(values.streams), rate: Number(values.rate) };
const age = values.age === undefined ? undefined : Number(values.age);
const backends = await Promise.all(Array.from({ length: BACKENDS }, () => new LogBackend(schedule, age).start()));
const client = new LogClientProcess({
  addresses: backends.map(({ address }) => address),
  schedule,
  resumable: !values.plain,
});
const absences: Absence[] = [];

/** Does something to a backend by which its streams end or move. */
async function leave(backend: LogBackend, how: Absence['how'], action: () => Promise<unknown>): Promise<void> {
  const from = now();
  await action();
  absences.push({ how, port: backend.port, from, to: now() });
}

async function tellPlaces(what: string): Promise<void> {
  const places = await client.places();
  console.log(`${what}: ${backends.map(({ port }) => places[port] ?? 0).join(', ')} streams`);
}

await client.open();
await delay(WARM_UP_MS + Math.max(0, schedule.epoch - now()));
await tellPlaces('at the start');
for (let round = 1; round <= Number(values.rounds); round++) {
  for (const backend of backends) {
    await leave(backend, 'restarted', () => backend.terminate());
    await backend.start();
    await delay(SETTLE_MS);
  }
  await tellPlaces(`round ${round}, after the rolling restart`);
  const [killed, ejected] = [backends[round % BACKENDS]!, backends[(round + 2) % BACKENDS]!];
  await leave(killed, 'killed', () => killed.kill());
  await delay(SETTLE_MS);
  await killed.start();
  await delay(SETTLE_MS);
  await tellPlaces(`round ${round}, after the kill`);
  client.eject(ejected.address, EJECTION_MS);
  await leave(ejected, 'ejected', () => delay(EJECTION_MS));
  await tellPlaces(`round ${round}, after the ejection`);
  await delay(SETTLE_MS);
}
const recording = await client.stop();
await client.end();
await Promise.all(backends.map((backend) => backend.kill()));
console.log(summary(recording, absences));
const missed = verdict(recording, absences, !values.plain);
for (const line of missed) console.log(`MISSED: ${line}`);
process.exit(missed.length > 0 ? 1 : 0);

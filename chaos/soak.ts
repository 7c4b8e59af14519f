/**
 * Random kills, stops, restarts and NOT_SERVING under load, and then: is everything as it was? Ends with 1 if not.
 *
 *   npm run chaos soak -- [--minutes 10] [--seed 1]
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { seededRandom } from '../libs/grpc-lb/src/core/random.js';
import type { ClientSnapshot } from '../libs/grpc-lb/src/core/snapshot.js';
import { startBackends } from './backend.js';
import { type Subject, grpcLb } from './processes/subjects.js';
import { OpenLoop } from './processes/load.js';
import { watchWire } from './processes/wire.js';
import { Attempts } from './soak/attempts.js';
import { takeCensus } from './soak/census.js';
import { Disturbance } from './soak/disturbance.js';
import { Streams } from './soak/streams.js';
import { verdict } from './soak/verdict.js';

const RATE = 300;
const DEADLINE_MS = 2000;
const STREAMS = 10;
/** Disturbed too: what is made once, or is compiled, when something fails has been made before the first census. */
const WARM_UP_MS = 30_000;
/** The slow start of the last one that came back is over, and every reservation has lapsed. */
const SETTLE_MS = 12_000;

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' } },
});
const minutes = Number(values.minutes);
const backends = await startBackends(5);
const disturbance = new Disturbance(backends, seededRandom(Number(values.seed)));
const attempts = new Attempts(disturbance);
watchWire((request) => attempts.onRequest(request));
const before = await takeCensus();

let told = (): void => {};
const client = grpcLb(
  {
    subject: 'grpc-lb',
    addresses: backends.map(({ address }) => address),
    // So that the last one is back soon after the last trouble.
    loadBalancing: { ejection: { maxEjectionTime: 10_000 } },
    retry: false,
    channelOptions: {},
    rate: RATE,
    deadline: DEADLINE_MS,
  },
  () => told(),
);
await client.ready();
await disturbed(WARM_UP_MS);
const first = await takeCensus();
const snapshotBefore = client.snapshot()!;

await disturbed(minutes * 60_000);
const last = await takeCensus();
const snapshot = client.snapshot()!;
client.close();
await delay(1000);
const after = await takeCensus();
await Promise.all(backends.map((backend) => backend.end()));

const { counts } = disturbance;
console.log(
  `${minutes} minutes after ${WARM_UP_MS / 1000} s of the same, seed ${values.seed}: ${counts.kill} kills, ${counts.stop} stops, ${counts.restart} restarts, ` +
    `${counts.ill} times NOT_SERVING; ${attempts.calls} calls and streams, ` +
    `failed: ${JSON.stringify(attempts.failed)}\n`,
);
console.table({ 'before the client': before, 'warm, idle': first, 'afterwards, idle': last, 'client closed': after });
const missed = verdict({ before, first, last, after, snapshotBefore, snapshot, attempts });
for (const line of missed) console.log(`MISSED: ${line}`);
if (missed.length === 0) console.log('everything is as it was, and every error is explained');
process.exitCode = missed.length > 0 ? 1 : 0;

/** Calls and streams while backends are disturbed, and then the end of all of them. */
async function disturbed(duration: number): Promise<void> {
  const onEnd: Attempts['onEnd'] = (record, call) => attempts.onEnd(record, call);
  const load = new OpenLoop(client.echo, { rate: RATE, deadline: DEADLINE_MS, onEnd });
  const streams = new Streams(client.echo, STREAMS, onEnd);
  await disturbance.run(duration);
  await allReady(client);
  await Promise.all([load.stop(), streams.stop()]);
  await delay(SETTLE_MS);
}

function allReady(subject: Subject): Promise<void> {
  const ready = ({ endpoints }: ClientSnapshot): boolean => endpoints.every(({ state }) => state === 'ready');
  return new Promise((resolve) => {
    told = () => {
      if (ready(subject.snapshot()!)) resolve();
    };
    told();
  });
}

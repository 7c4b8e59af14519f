/**
 * Certificates that rotate, real processes: five backends and a client over mutual TLS, all of whose certificates and
 * keys change again and again, and the CA in the middle, by a bundle of both. Ends with 1 if a call fails, a stream is
 * cut, or sockets are left.
 *
 *   npm run chaos tls -- [--rate 1000] [--seconds 120] [--every 10]
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Child, node } from '../apps/demo-client/src/runner/child-process.js';
import { now } from './clock.js';
import type { FromTlsBackend, FromTlsClient, Seen, ToTlsClient } from './tls/protocol.js';
import { type Phase, Secrets } from './tls/secrets.js';

const BACKENDS = 5;
const STREAMS = 50;
/** Of the time between two rotations: all have taken one before the next. */
const REPLACE_WITHIN = 0.4;
const WARM_UP_MS = 3000;

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '120' },
    every: { type: 'string', default: '10' },
  },
});
const [rate, seconds, every] = [Number(values.rate), Number(values.seconds), Number(values.every)];
const rotations = Math.round(seconds / every);
const script = (name: string): string => fileURLToPath(new URL(`tls/${name}.js`, import.meta.url));

const secrets = new Secrets();
const backends = Array.from({ length: BACKENDS }, (_, i) => {
  const args = { files: secrets.files(`backend-${i}`) };
  return new Child<FromTlsBackend>(node(script('backend'), [JSON.stringify(args)]));
});
const ports = await Promise.all(backends.map(async (backend) => (await backend.next('listening')).port));
const client = new Child<FromTlsClient, ToTlsClient>(
  node(script('client'), [
    JSON.stringify({
      files: secrets.files('client'),
      addresses: ports.map((port) => `127.0.0.1:${port}`),
      rate,
      streams: STREAMS,
      replaceWithin: Math.round(REPLACE_WITHIN * every * 1000),
    }),
  ]),
);
await client.next('ready');
const look = async (what: ToTlsClient['do']): Promise<Seen> => {
  const looked = client.next('looked');
  client.tell({ do: what });
  const { seen } = (await looked) as FromTlsClient;
  return seen;
};

await delay(WARM_UP_MS);
const before = await look('look');
const phaseOf = (i: number): Phase => secrets.phases[Math.min(3, Math.floor((4 * i) / rotations))]!;
let rotate = secrets.issued(phaseOf(0));
for (let i = 0; i < rotations; i++) {
  const due = now() + every * 1000;
  rotate();
  if (i + 1 < rotations) rotate = secrets.issued(phaseOf(i + 1));
  await delay(Math.max(0, due - now()));
  const { calls, failed, cutStreams, sockets, connectionsOpened, tls } = await look('look');
  console.log(
    `${i + 1}: ${phaseOf(i).name}: ${calls} calls, ${failed} failed, ${cutStreams} streams cut, ${sockets} sockets, ` +
      `${connectionsOpened} connections opened, ${tls.outdatedConnections} outdated`,
  );
}
await look('stop');
const after = await look('end');
console.log(`events: ${JSON.stringify(after.events)}`);

const missed = [
  after.failed > 0 && `${after.failed} of ${after.calls} calls failed: ${after.failures.join('; ')}`,
  after.cutStreams > 0 && `${after.cutStreams} of ${STREAMS} streams were cut`,
  after.tls.rotations < rotations && `only ${after.tls.rotations} of ${rotations} rotations were taken`,
  after.tls.rejections > 0 && `${after.tls.rejections} certificates were rejected: ${after.tls.error}`,
  after.tls.outdatedConnections > 0 && `${after.tls.outdatedConnections} connections were not replaced`,
  after.sockets > before.sockets && `${before.sockets} sockets before, ${after.sockets} afterwards`,
].filter((each) => each !== false);
console.log(
  `${after.calls} calls at ${rate} a second, ${rotations} rotations of ${BACKENDS + 1} certificates: ${after.failed} failed, ${after.cutStreams} of ${STREAMS} streams cut, ` +
    `${before.sockets} sockets before, ${after.sockets} afterwards`,
);
for (const line of missed) console.log(`MISSED: ${line}`);

await client.kill();
await Promise.all(backends.map((backend) => backend.kill()));
secrets.close();
process.exitCode = missed.length > 0 ? 1 : 0;

/** The client in a process of its own: calls at a steady rate, and streams that stay open, over mutual TLS. */
import { credentials, Metadata, status } from '@grpc/grpc-js';
import { BalancedChannel } from '../../libs/grpc-lb/src/grpc/index.js';
import { Echo, type EchoStub } from '../echo.js';
import { OpenLoop } from '../processes/load.js';
import { openSockets } from '../processes/open-sockets.js';
import type { FromTlsClient, Seen, TlsClientArguments, ToTlsClient } from './protocol.js';

const DEADLINE_MS = 5000;
const SHOWN = 5;

const args = JSON.parse(process.argv[2]!) as TlsClientArguments;
const events: Record<string, number> = {};
const failures: string[] = [];
let [calls, failed, cutStreams, openStreams] = [0, 0, 0, 0];
let ending = false;

const channel = new BalancedChannel({
  name: 'TLS',
  target: `static:///${args.addresses.join(',')}`,
  tls: { ...args.files, replaceWithin: args.replaceWithin },
  onEvent: ({ type }) => (events[type] = (events[type] ?? 0) + 1),
});
const echo = new Echo('override', credentials.createInsecure(), {
  channelOverride: channel,
}) as unknown as EchoStub;

function seen(): Seen {
  const { tls, totals } = channel.snapshot();
  const sockets = openSockets();
  const { connectionsOpened } = totals;
  return { calls, failed, failures, cutStreams, openStreams, sockets, connectionsOpened, events, tls: tls! };
}

const tell = (type: FromTlsClient['type']): void => {
  const message: FromTlsClient = { type, seen: seen() };
  process.send!(message);
};

channel.connect();
while (channel.snapshot().endpoints.filter(({ state }) => state === 'ready').length < args.addresses.length)
  await new Promise((resolve) => setTimeout(resolve, 20));
const streams = Array.from({ length: args.streams }, () => {
  const stream = echo.Repeat({ text: 'stream', times: 0 }, new Metadata());
  openStreams++;
  stream.on('data', () => {});
  stream.on('error', () => (cutStreams += Number(!ending)));
  stream.on('end', () => (cutStreams += Number(!ending)));
  stream.on('close', () => openStreams--);
  return stream;
});
const load = new OpenLoop(echo, {
  rate: args.rate,
  deadline: DEADLINE_MS,
  onEnd: ({ code, details }) => {
    calls++;
    if (code === status.OK) return;
    failed++;
    if (failures.length < SHOWN) failures.push(`${status[code]}: ${details}`);
  },
});
const socketsAtFirst = openSockets();
tell('ready');

process.on('message', ({ do: what }: ToTlsClient) => void obey(what));
process.on('disconnect', () => process.exit());

async function obey(what: ToTlsClient['do']): Promise<void> {
  if (what === 'stop') await load.stop();
  if (what === 'end') {
    ending = true;
    for (const stream of streams) stream.cancel();
    // grpc-js closes connections that nobody uses within ten seconds.
    for (let i = 0; i < 150 && openSockets() > socketsAtFirst; i++)
      await new Promise((resolve) => setTimeout(resolve, 200));
  }
  tell('looked');
}

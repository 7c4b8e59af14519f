/** A Nest client that subscribes to every log, and remembers what it has seen. */
import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type ServiceError, status } from '@grpc/grpc-js';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { firstValueFrom, type Observable, type Subscription } from 'rxjs';
import { GrpcLbClient, GrpcLbModule, GrpcLbRegistry, GrpcService, resumable } from '../../libs/grpc-lb/src/index.js';
import { STREAM_END_KEY } from '../../libs/grpc-lb/src/server/stream-end.js';
import { now } from '../clock.js';
import { LogRecord } from './log-record.js';
import type { FromLogClient, Handover, LogClientArguments, StreamEndRecord, ToLogClient } from './protocol.js';
import { lastOf } from './schedule.js';

/** Before a stream that has ended is opened again. */
const PAUSE_MS = 100;
const CALLS_PER_SECOND = 50;
/** One in so many gaps of unmoved streams is kept. */
const SAMPLE = 50;
/** Gaps of unmoved streams that are longer are kept, too. */
const STALL_MS = 300;
/** The end of the recording waits at most so long for messages that are late. */
const LATE_MS = 5000;

const args = JSON.parse(process.argv[2]!) as LogClientArguments;
const { schedule } = args;

interface Entry {
  readonly number: number;
  readonly server: number;
}

interface LogService {
  tail(request: { log: number; after: number }): Observable<Entry>;
  ping(request: object): Observable<object>;
}

// From dist/chaos/chaos/streams, where this runs.
const protoPath = fileURLToPath(new URL('../../../../chaos/streams/log.proto', import.meta.url));

const tail = resumable<LogService, number>({
  method: 'tail',
  token: ({ number }) => number,
  resume: (request, after) => ({ ...request, after }),
});

@GrpcLbClient({
  package: 'chaos.v1',
  service: 'Log',
  protoPath,
  loader: { defaults: true },
  target: `static:///${args.addresses.join(',')}`,
  ...(args.resumable && { resumable: [tail] }),
})
class LogClient extends GrpcService<LogService>() {}

@Module({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([LogClient])] })
class ClientModule {}

const app = await NestFactory.createApplicationContext(ClientModule, { logger: ['warn', 'error'] });
const client = app.get(LogClient);
const registry = app.get(GrpcLbRegistry);

const records = Array.from({ length: schedule.logs }, (_, log) => new LogRecord(schedule, log));
const subscriptions = new Map<LogRecord, Subscription>();
const handovers: Handover[] = [];
const unmoved: Handover[] = [];
const stalls: Handover[] = [];
const ends: StreamEndRecord[] = [];
const failedCalls: string[] = [];
let calls = 0;
let gaps = 0;
let stopped = false;

const tell = (message: FromLogClient): void => void process.send!(message);

function take(record: LogRecord, { number, server }: Entry): void {
  const at = now();
  const { server: from, log } = record;
  const gap = record.take(number, server, at);
  if (gap === undefined) return;
  const handover = { at, log, from, to: server, gap };
  if (from !== server) {
    handovers.push(handover);
    return;
  }
  if (gap > STALL_MS) stalls.push(handover);
  if (gaps++ % SAMPLE === 0) unmoved.push(handover);
}

function open(record: LogRecord): void {
  if (stopped) return;
  const { log, last: after } = record;
  const subscription = client.tail({ log, after }).subscribe({
    next: (entry) => take(record, entry),
    error: (error: ServiceError) => ended(record, error),
    complete: () => ended(record, undefined),
  });
  subscriptions.set(record, subscription);
}

function ended(record: LogRecord, error: ServiceError | undefined): void {
  const reason = error?.metadata?.get(STREAM_END_KEY)[0] ?? null;
  const { log, server } = record;
  const code = error?.code ?? status.OK;
  ends.push({ at: now(), log, server, code, details: error?.details ?? '', reason: reason && String(reason) });
  setTimeout(open, PAUSE_MS, record);
}

async function call(): Promise<void> {
  calls++;
  try {
    await firstValueFrom(client.ping({}));
  } catch (error) {
    const { code, details } = error as ServiceError;
    failedCalls.push(`${status[code]}: ${details}`);
  }
}

const calling = setInterval(() => void call(), 1000 / CALLS_PER_SECOND);

function places(): Record<string, number> {
  const byServer: Record<string, number> = {};
  for (const { server } of records) byServer[server] = (byServer[server] ?? 0) + 1;
  return byServer;
}

async function stop(): Promise<void> {
  clearInterval(calling);
  const until = now();
  const late = (): LogRecord[] => records.filter((record) => record.last < lastOf(schedule, record.log, until));
  while (late().length > 0 && now() < until + LATE_MS) await delay(20);
  stopped = true;
  const behind = late().reduce((sum, { log, last }) => sum + lastOf(schedule, log, until) - last, 0);
  for (const subscription of subscriptions.values()) subscription.unsubscribe();
  const sum = (of: (record: LogRecord) => number): number => records.reduce((total, each) => total + of(each), 0);
  tell({
    type: 'recording',
    recording: {
      messages: sum(({ messages }) => messages),
      lost: sum(({ missing }) => missing) + behind,
      doubled: sum(({ doubled }) => doubled),
      unordered: sum(({ unordered }) => unordered),
      ends,
      handovers,
      unmoved,
      stalls,
      calls,
      failedCalls,
    },
  });
}

process.on('message', (message: ToLogClient) => {
  switch (message.type) {
    case 'open':
      return records.forEach(open);
    case 'eject':
      return registry.eject(LogClient, message.address, message.duration);
    case 'restore':
      return registry.restore(LogClient, message.address);
    case 'places':
      return tell({ type: 'places', places: places() });
    case 'stop':
      return void stop();
  }
});
// The runner is gone, or has all it wants.
process.on('disconnect', () => process.exit());
// Streams that are opened earlier would all go to the endpoint that is first.
while (!registry.snapshot(LogClient).endpoints.every(({ state }) => state === 'ready')) await delay(20);
tell({ type: 'ready' });

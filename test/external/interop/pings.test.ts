import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as grpc from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';
import { freePort } from 'nestjs-grpc-lb/testing';
import { Child } from '../../../apps/demo-client/src/runner/child-process.js';
import type { LbEvent } from '../../../libs/grpc-lb/src/core/events.js';
import { BalancedChannel } from '../../../libs/grpc-lb/src/grpc/index.js';
import { Echo } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { PythonServer } from './python-process.js';
import { TestService } from './test-service.js';
import { accepting } from '../../support/run/accepting.js';

expectNoLeaks();

/**
 * How long streams are quiet. The short time is enough for a client that asks at the start of each call: its fourth
 * PING ends the connection. `--minutes 10` shows what keepalive adds.
 */
const QUIET_MS = Number(process.env['PINGS_MINUTES'] ?? 0.2) * 60_000;
/** So few streams in the long run that each has a thread of the Python server. */
const EACH_MS = Math.max(2500, QUIET_MS / 30);
/** Where `install-go-peers.sh` has put grpc-go's own interoperability server. */
const GO_SERVER = join(process.env['GO_PEERS'] ?? '', 'bin/interop_server');
const hasGo = process.env['GO_PEERS'] !== undefined && existsSync(GO_SERVER);

type Quiet = grpc.ClientReadableStream<unknown>;
type Stub = grpc.Client & {
  FullDuplexCall(): Quiet;
  StreamingOutputCall(request: object): Quiet;
  Talk(): Quiet;
};

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

function stubOf(service: grpc.ServiceClientConstructor, address: string): { stub: Stub; events: LbEvent[] } {
  const events: LbEvent[] = [];
  const credentials = grpc.credentials.createInsecure();
  const channel = new BalancedChannel({
    name: 'QUIET',
    target: `static:///${address}`,
    credentials,
    onEvent: (event) => events.push(event),
  });
  closing.push(() => channel.close());
  return {
    stub: new service('override', credentials, { channelOverride: channel.channel }) as unknown as Stub,
    events,
  };
}

/** Opens one more each time, waits, and returns those that have ended by themselves. */
async function openQuiet(open: () => Quiet): Promise<string[]> {
  const ended: string[] = [];
  const streams: Quiet[] = [];
  for (const end = performance.now() + QUIET_MS; performance.now() < end; await delay(EACH_MS)) {
    const stream = open();
    stream.on('data', () => {}).on('error', (error) => ended.push(error.message));
    streams.push(stream);
  }
  const before = [...ended];
  for (const stream of streams) stream.cancel();
  await expect.poll(() => ended.length).toBe(streams.length);
  return before;
}

async function startGo(): Promise<string> {
  const port = await freePort();
  const server = new Child([GO_SERVER, `--port=${port}`], { quiet: true });
  closing.push(() => server.kill());
  await server.unlessEnded(accepting(port));
  return `127.0.0.1:${port}`;
}

const losses = (events: readonly LbEvent[]): LbEvent[] => events.filter(({ type }) => type === 'connection_closed');
const timeout = QUIET_MS + 30_000;

describe.skipIf(!hasGo)('grpc-go (skipped unless GO_PEERS names the folder of install-go-peers.sh)', () => {
  test('does not cut quiet streams, however many start', { timeout }, async () => {
    const { stub, events } = stubOf(TestService, await startGo());
    expect(await openQuiet(() => stub.FullDuplexCall())).toEqual([]);
    expect(losses(events)).toEqual([]);
  });

  test('does not cut polls that are answered after half a minute', { timeout }, async () => {
    const { stub, events } = stubOf(TestService, await startGo());
    const request = { response_parameters: [{ size: 1, interval_us: 30_000_000 }] };
    const open = (): Quiet => stub.StreamingOutputCall(request);
    // One that was answered in time has ended without an error.
    const polls: Quiet[] = [];
    const failures: string[] = [];
    for (const end = performance.now() + QUIET_MS; performance.now() < end; await delay(EACH_MS)) {
      polls.push(open());
      polls
        .at(-1)!
        .on('data', () => {})
        .on('error', (error) => failures.push(error.message));
    }
    expect([failures, losses(events)]).toEqual([[], []]);
    for (const poll of polls) poll.cancel();
  });
});

test('C-core does not cut quiet streams, however many start', { timeout }, async () => {
  const server = await new PythonServer().start();
  closing.push(() => server.kill());
  const { stub, events } = stubOf(Echo, server.address);
  expect(await openQuiet(() => stub.Talk())).toEqual([]);
  expect(losses(events)).toEqual([]);
});

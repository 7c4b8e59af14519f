import type { ServerHttp2Session } from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { LAPSE_AFTER_MS } from '../../../libs/grpc-lb/src/core/balancing/calls/ledger.js';
import type { Clock } from '../../../libs/grpc-lb/src/core/clock.js';
import { systemClock } from '../../../libs/grpc-lb/src/grpc/context/system-clock.js';
import { type AnyCall, type Balanced, balanced, call, connected, type Result } from '../../support/calls/call.js';
import { pretendedTls } from '../../support/peers/pretended-tls.js';
import { answer, message, type RawCall, RawPeer } from '../../support/peers/raw-peer.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

/** Longer than what credentials have given counts as new, in milliseconds. */
const LONG_MS = 1001;

/** Credentials that give their first token at once, and the others when the test does. */
class Tokens {
  asked = 0;
  #give: ((error: Error | null, metadata?: grpc.Metadata) => void) | undefined;

  readonly credentials = grpc.credentials.createFromMetadataGenerator((_options, done) => {
    this.#give = done;
    if (++this.asked === 1) this.give();
  });

  give(): void {
    const metadata = new grpc.Metadata();
    metadata.set('x-token', `token ${this.asked}`);
    this.#give!(null, metadata);
  }

  fail(error: Error): void {
    this.#give!(error);
  }
}

interface Full extends Balanced {
  readonly peer: RawPeer;
  readonly session: ServerHttp2Session;
  readonly tokens: Tokens;
  /** The call that waits, with its first token. */
  readonly waiting: Promise<Result>;
  cancel(): void;
  /** Makes a call that takes the only place. */
  hold(): Promise<void>;
  /** Ends the call that takes the only place. */
  makeRoom(): void;
  pass(milliseconds: number): void;
}

/** A client whose only connection is full, so that a call with credentials waits. Other calls are answered at once. */
async function full(): Promise<Full> {
  let held: RawCall | undefined;
  const peer = await new RawPeer((arrived) => {
    if (arrived.headers['x-hold']) held = arrived;
    else answer(arrived, { messages: [message(String(arrived.headers['x-token']))] });
  }).start();
  // Stands still, so that a busy machine lets nothing grow old.
  let now = 1e6;
  const clock: Clock = { now: () => now, after: (delay, callback) => systemClock.after(delay, callback) };
  const made = balanced(peer.target, {
    credentials: pretendedTls(),
    clock,
    loadBalancing: { pool: { maxConcurrentStreams: 1, maxSize: 1 } },
  });
  await connected(made.client);
  const hold = async (): Promise<void> => {
    held = undefined;
    const metadata = new grpc.Metadata();
    metadata.set('x-hold', '1');
    void call(made.client, 'unary', { metadata });
    await expect.poll(() => held).toBeDefined();
  };
  await hold();
  const tokens = new Tokens();
  let running!: AnyCall;
  const { credentials } = tokens;
  const waiting = call(made.client, 'unary', { credentials, onCall: (started) => (running = started) });
  await expect.poll(() => ({ asked: tokens.asked, ...counts(made) })).toEqual({ asked: 1, inFlight: 1, pending: 1 });
  return {
    ...made,
    peer,
    hold,
    session: held!.stream.session as ServerHttp2Session,
    tokens,
    waiting,
    cancel: () => running.cancel(),
    makeRoom: () => answer(held!, {}),
    pass: (milliseconds) => (now += milliseconds),
  };
}

function counts({ channel }: Balanced): { inFlight: number; pending: number } {
  const { inFlight, pending } = channel.snapshot();
  return { inFlight, pending };
}

test('an attempt that has waited for long is sent with a new token, and keeps its place meanwhile', async () => {
  const client = await full();
  client.pass(LONG_MS);
  client.makeRoom();
  await expect.poll(() => client.tokens.asked).toBe(2);
  const later = call(client.client, 'unary');
  expect(counts(client)).toEqual({ inFlight: 1, pending: 2 });
  client.tokens.give();
  expect(await client.waiting).toMatchObject({ messages: ['token 2'] });
  expect(await later).toMatchObject({ messages: ['undefined'] });
  expect(counts(client)).toEqual({ inFlight: 0, pending: 0 });
});

test('one that has waited for a moment is sent with the token that it has', async () => {
  const client = await full();
  client.makeRoom();
  expect(await client.waiting).toMatchObject({ messages: ['token 1'] });
  expect(client.tokens.asked).toBe(1);
});

test.each(['is cancelled', 'fails, because its credentials do'])(
  'a call that %s while they are asked again gives up its place at once',
  async (how) => {
    const client = await full();
    client.pass(LONG_MS);
    client.makeRoom();
    await expect.poll(() => client.tokens.asked).toBe(2);
    if (how === 'is cancelled') client.cancel();
    else client.tokens.fail(Object.assign(new Error('expired'), { code: grpc.status.UNAUTHENTICATED }));
    const code = how === 'is cancelled' ? grpc.status.CANCELLED : grpc.status.UNAUTHENTICATED;
    expect(await client.waiting).toMatchObject({ code });
    expect(counts(client)).toEqual({ inFlight: 0, pending: 0 });
    client.tokens.give();
    expect(await call(client.client, 'unary')).toMatchObject({ code: grpc.status.OK });
    expect(client.peer.calls.filter(({ headers }) => headers['x-token'])).toEqual([]);
  },
);

test('a client that is closed while they are asked again ends the call', async () => {
  const client = await full();
  client.pass(LONG_MS);
  client.makeRoom();
  await expect.poll(() => client.tokens.asked).toBe(2);
  client.channel.close();
  expect(await client.waiting).toMatchObject({
    code: grpc.status.UNAVAILABLE,
    details: 'Channel closed before call started',
  });
  expect(counts(client)).toEqual({ inFlight: 0, pending: 0 });
});

test('a call whose connection is lost while they are asked again is sent on another one', async () => {
  const client = await full();
  client.pass(LONG_MS);
  client.makeRoom();
  await expect.poll(() => client.tokens.asked).toBe(2);
  client.session.destroy();
  await expect
    .poll(() => client.channel.snapshot().endpoints[0]!.connections.map(({ state }) => state))
    .not.toEqual(['ready']);
  client.tokens.give();
  expect(await client.waiting).toMatchObject({ messages: ['token 2'] });
  expect(counts(client)).toEqual({ inFlight: 0, pending: 0 });
});

test('a call whose credentials take longer than a place is kept goes in when there is room again', async () => {
  const client = await full();
  client.pass(LONG_MS);
  client.makeRoom();
  await expect.poll(() => client.tokens.asked).toBe(2);
  client.pass(LAPSE_AFTER_MS);
  await expect.poll(() => counts(client), { timeout: 5000 }).toEqual({ inFlight: 0, pending: 1 });
  await client.hold();
  client.tokens.give();
  await new Promise(setImmediate);
  expect(counts(client)).toEqual({ inFlight: 1, pending: 1 });
  client.makeRoom();
  expect(await client.waiting).toMatchObject({ messages: ['token 2'] });
  expect(counts(client)).toEqual({ inFlight: 0, pending: 0 });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnyCall, balanced, call, connected, KINDS } from '../../support/calls/call.js';
import { SilentDiscovery } from '../../support/echo/balanced-client.js';
import { answer, message, type RawCall, RawPeer } from '../../support/peers/raw-peer.js';
import { pretendedTls } from '../../support/peers/pretended-tls.js';
import { SilentServer } from '../../support/peers/silent-server.js';
import { closeWithTest } from '../../support/run/close-with-test.js';
import { transpile, type Transpiled } from '../../support/run/transpile.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

const POOL = { maxSize: 1, maxPending: 5 };
const waitForReady = new grpc.Metadata({ waitForReady: true });

interface Waiting {
  readonly client: grpc.Client;
  readonly channel: ReturnType<typeof balanced>['channel'];
  readonly metadata: grpc.Metadata;
  readonly text: RegExp;
  /** Lets the calls go. */
  release(peer: RawPeer): void;
}

/** The states in which calls wait. */
const STATES: Record<string, (peer: RawPeer) => Promise<Waiting>> = {
  'before the first answer of discovery': async () => {
    const discovery = new SilentDiscovery();
    return {
      ...balanced(discovery.target, { loadBalancing: { pool: POOL } }),
      metadata: new grpc.Metadata(),
      text: /no endpoint is connected yet/,
      release: ({ port }) => discovery.setEndpoints([{ address: { host: '127.0.0.1', port } }]),
    };
  },
  'while it connects': async () => {
    const silent = await new SilentServer().start();
    closeWithTest(() => silent.stop());
    const discovery = new SilentDiscovery();
    const made = balanced(discovery.target, { loadBalancing: { pool: POOL } });
    made.channel.connect();
    await new Promise(setImmediate);
    discovery.setEndpoints([{ address: { host: '127.0.0.1', port: silent.port } }]);
    await expect.poll(() => silent.accepted).toBe(1);
    return {
      ...made,
      metadata: new grpc.Metadata(),
      text: /no endpoint is connected yet/,
      release: ({ port }) => discovery.setEndpoints([{ address: { host: '127.0.0.1', port } }]),
    };
  },
  'while connections fail (wait_for_ready)': async () => {
    const discovery = new SilentDiscovery();
    const made = balanced(discovery.target, { loadBalancing: { pool: POOL } });
    const failed = call(made.client, 'unary');
    discovery.setEndpoints([{ address: { host: '127.0.0.1', port: 1 } }]);
    await failed;
    return {
      ...made,
      metadata: waitForReady,
      text: /no endpoint is ready/,
      release: ({ port }) => discovery.setEndpoints([{ address: { host: '127.0.0.1', port } }]),
    };
  },
  'while call credentials do not come': async (peer) => {
    const held: (() => void)[] = [];
    let released = false;
    const token = grpc.credentials.createFromMetadataGenerator((_options, done) => {
      const give = (): void => done(null, new grpc.Metadata());
      if (released) give();
      else held.push(give);
    });
    const made = balanced(peer.target, { credentials: pretendedTls(token), loadBalancing: { pool: POOL } });
    await connected(made.client);
    return {
      ...made,
      metadata: new grpc.Metadata(),
      text: /call credentials have not been provided yet/,
      release: () => {
        released = true;
        for (const give of held) give();
      },
    };
  },
  'at the stream limit': async (peer) => {
    const made = balanced(peer.target, {
      loadBalancing: { pool: { ...POOL, maxConcurrentStreams: 1 } },
    });
    await connected(made.client);
    void call(made.client, 'bidi', {
      requests: [],
      onCall: (started) => (started as grpc.ClientDuplexStream<Buffer, Buffer>).write(Buffer.from('hold')),
    });
    await peer.arrived(1);
    return {
      ...made,
      metadata: new grpc.Metadata(),
      text: /all connections are at their stream limit/,
      release: () => {
        const held: RawCall = peer.calls[0]!;
        answer(held, { messages: [message('bye')] });
      },
    };
  },
};

describe.each(Object.keys(STATES))('%s', (state) => {
  const start = async (): Promise<Waiting & { peer: RawPeer; seen: string[] }> => {
    const seen: string[] = [];
    const peer = await new RawPeer((arrived) => {
      const number = arrived.headers['x-number'];
      if (number === undefined) return;
      seen.push(String(number));
      answer(arrived, { messages: [message('hello')] });
    }).start();
    return { ...(await STATES[state]!(peer)), peer, seen };
  };

  const numbered = ({ metadata }: Waiting, number: number): grpc.Metadata => {
    const own = metadata.clone();
    own.set('x-number', String(number));
    return own;
  };

  test('calls go in their order, and the snapshot counts them exactly', async () => {
    const waiting = await start();
    const { client, channel, peer, seen } = waiting;
    const calls = [];
    for (let i = 0; i < 5; i++) {
      calls.push(call(client, KINDS[i % 4]!, { metadata: numbered(waiting, i) }));
      expect(channel.snapshot().pending).toBe(i + 1);
    }
    waiting.release(peer);
    for (const result of await Promise.all(calls)) expect(result.code).toBe(grpc.status.OK);
    expect(seen).toEqual(['0', '1', '2', '3', '4']);
    expect(channel.snapshot()).toMatchObject({ pending: 0, inFlight: 0 });
  });

  test('one more than maxPending is refused at once with the limits, and says for what the others wait', async () => {
    const waiting = await start();
    const { client, channel, peer } = waiting;
    const calls = Array.from({ length: 5 }, (_, i) => call(client, 'unary', { metadata: numbered(waiting, i) }));
    for (const kind of KINDS) {
      const { code, details } = await call(client, kind, { metadata: waiting.metadata });
      expect(code).toBe(grpc.status.RESOURCE_EXHAUSTED);
      expect(details).toMatch(waiting.text);
      expect(details).toMatch(
        /^client ECHO: .* and 5 calls are already pending \(pool\.maxPending 5, pool\.size 1, pool\.maxSize 1\)$/,
      );
    }
    expect(channel.snapshot().pending).toBe(5);
    waiting.release(peer);
    for (const result of await Promise.all(calls)) expect(result.code).toBe(grpc.status.OK);
  });

  test('a call leaves at once when it is cancelled or its deadline passes, and the others keep their order', async () => {
    const waiting = await start();
    const { client, channel, peer, seen } = waiting;
    let cancel!: () => void;
    const others: Promise<unknown>[] = [];
    const cancelled = call(client, 'unary', {
      metadata: numbered(waiting, 0),
      onCall: (started: AnyCall) => (cancel = () => started.cancel()),
    });
    others.push(call(client, 'unary', { metadata: numbered(waiting, 1) }));
    const late = call(client, 'unary', { metadata: numbered(waiting, 2), deadline: Date.now() + 40 });
    others.push(call(client, 'unary', { metadata: numbered(waiting, 3) }));
    expect(channel.snapshot().pending).toBe(4);
    cancel();
    expect(channel.snapshot().pending).toBe(3);
    expect(await late).toMatchObject({ code: grpc.status.DEADLINE_EXCEEDED });
    expect(channel.snapshot().pending).toBe(2);
    expect(await cancelled).toMatchObject({ code: grpc.status.CANCELLED });
    waiting.release(peer);
    await Promise.all(others);
    expect(seen).toEqual(['1', '3']);
  });

  test('close() ends the pending calls, and none is left', async () => {
    const waiting = await start();
    const { client, channel } = waiting;
    const calls = KINDS.map((kind) => call(client, kind, { metadata: waiting.metadata }));
    channel.close();
    expect(channel.snapshot().pending).toBe(0);
    for (const each of await Promise.all(calls))
      expect(each).toMatchObject({ code: grpc.status.UNAVAILABLE, details: 'Channel closed before call started' });
  });
});

describe('call credentials', () => {
  const setUp = async (generator: Parameters<typeof grpc.credentials.createFromMetadataGenerator>[0]) => {
    const peer = await new RawPeer((arrived) => answer(arrived, { messages: [message('hello')] })).start();
    const credentials = pretendedTls(grpc.credentials.createFromMetadataGenerator(generator));
    const made = balanced(peer.target, { credentials, loadBalancing: { pool: POOL } });
    await connected(made.client);
    return { ...made, peer };
  };

  test('that are at hand, or come in the same turn, refuse none of the calls of one turn', async () => {
    const { client } = await setUp((_options, done) => queueMicrotask(() => done(null, new grpc.Metadata())));
    const results = await Promise.all(Array.from({ length: 50 }, () => call(client, 'unary')));
    expect(results.map(({ code }) => code)).toEqual(results.map(() => grpc.status.OK));
  });

  test('that never come are asked for no more calls than maxPending, and a refused call is not sent when they do', async () => {
    const held: (() => void)[] = [];
    const { client, channel, peer } = await setUp((_options, done) => {
      held.push(() => done(null, new grpc.Metadata()));
    });
    const waiting = Array.from({ length: 5 }, () => call(client, 'unary'));
    for (let turn = 0; turn < 3; turn++)
      expect(await call(client, 'unary')).toMatchObject({ code: grpc.status.RESOURCE_EXHAUSTED });
    // One in the turn of the five.
    expect({ asked: held.length, pending: channel.snapshot().pending }).toEqual({ asked: 6, pending: 5 });
    for (const give of held) give();
    for (const { code } of await Promise.all(waiting)) expect(code).toBe(grpc.status.OK);
    expect({ sent: peer.calls.length, pending: channel.snapshot().pending }).toEqual({ sent: 5, pending: 0 });
  });

  test('that fail leave the place of their call to others', async () => {
    const held: (() => void)[] = [];
    const { client, channel } = await setUp((_options, done) => {
      held.push(() => done(new Error('no network')));
    });
    const failing = Array.from({ length: 5 }, () => call(client, 'unary'));
    await new Promise(setImmediate);
    expect(channel.snapshot().pending).toBe(5);
    for (const give of held) give();
    for (const { code } of await Promise.all(failing)) expect(code).toBe(grpc.status.UNKNOWN);
    expect(channel.snapshot().pending).toBe(0);
  });
});

describe('the process', () => {
  let program: Transpiled;

  beforeAll(() => void (program = transpile('test/support/calls/child.ts')));
  afterAll(() => program.remove());

  test.each([
    ['pending', grpc.status.DEADLINE_EXCEEDED],
    ['between two attempts', grpc.status.UNAVAILABLE],
  ])('lives until a call that is %s has ended, and ends after close()', async (todo, code) => {
    const child = spawn(process.execPath, [program.path, todo, 'static:///127.0.0.1:1'], { stdio: 'pipe' });
    const output: string[] = [];
    child.stdout.on('data', (text: Buffer) => output.push(text.toString()));
    child.stderr.on('data', (text: Buffer) => output.push(text.toString()));
    const [exitCode] = (await once(child, 'close')) as [number];
    expect({ exitCode, output: output.join('') }).toEqual({ exitCode: 0, output: `ended with ${code}` });
  });
});

test('no more connections are opened for a pending call while the one that is being opened has room for it', async () => {
  const peers = await Promise.all([new RawPeer(() => {}).start(), new RawPeer(() => {}).start()]);
  const loadBalancing = { pool: { maxConcurrentStreams: 1 } };
  const { client, channel } = balanced(`static:///${peers.map(({ address }) => address).join(',')}`, { loadBalancing });
  channel.connect();
  const connections = (): number =>
    channel.snapshot().endpoints.reduce((sum, endpoint) => sum + endpoint.connections.length, 0);
  await expect.poll(() => channel.snapshot().endpoints.map(({ state }) => state)).toEqual(['ready', 'ready']);
  const running = Array.from({ length: 3 }, () => call(client, 'unary'));
  await new Promise(setImmediate);
  expect([channel.snapshot().pending, connections()]).toEqual([1, 3]);
  // Offers the call again.
  channel.configure({ health: { enabled: false }, ...loadBalancing });
  expect(connections()).toBe(3);
  channel.close();
  for (const peer of peers) await peer.close();
  await Promise.all(running);
});

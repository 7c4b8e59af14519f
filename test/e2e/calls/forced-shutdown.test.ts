import * as grpc from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { balanced, call, connected, KINDS, METHODS, stock } from '../../support/calls/call.js';
import { answer, message, RawPeer } from '../../support/peers/raw-peer.js';
import { closeWithTest } from '../../support/run/close-with-test.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

const raw = (bytes: Buffer): Buffer => bytes;

/** A server of grpc-js that answers the kinds of calls it is told to, or none. */
class Server {
  arrived = 0;
  answers = false;
  readonly #server = new grpc.Server();

  async start(): Promise<{ readonly address: string }> {
    closeWithTest(() => this.#server.forceShutdown());
    const definition = (method: string) => ({
      path: `/echo.v1.Echo/${method}`,
      requestStream: method === 'Join' || method === 'Talk',
      responseStream: method === 'Repeat' || method === 'Talk',
      requestSerialize: raw,
      requestDeserialize: raw,
      responseSerialize: raw,
      responseDeserialize: raw,
    });
    const methods = Object.values(METHODS);
    const single = (_call: unknown, done?: grpc.sendUnaryData<Buffer>): void => {
      this.arrived++;
      if (this.answers) done?.(null, Buffer.from('hello'));
    };
    this.#server.addService(
      Object.fromEntries(methods.map((method) => [method, definition(method)])),
      Object.fromEntries(methods.map((method) => [method, single])),
    );
    const port = await new Promise<number>((resolve, reject) =>
      this.#server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    return { address: `127.0.0.1:${port}` };
  }

  shutDown(): void {
    this.#server.forceShutdown();
  }
}

test('calls that a server cancels as it shuts down end with UNAVAILABLE, where grpc-js says CANCELLED', async () => {
  const server = new Server();
  const { address } = await server.start();
  const { client } = balanced(`static:///${address}`);
  const theirs = stock(address);
  await Promise.all([connected(client), connected(theirs)]);
  const calls = KINDS.map((kind) => call(client, kind));
  const other = call(theirs, 'unary');
  await expect.poll(() => server.arrived).toBe(5);
  server.shutDown();
  for (const { code, details } of await Promise.all(calls))
    expect({ code, details }).toEqual({
      code: grpc.status.UNAVAILABLE,
      details: `The server closed the connection and cancelled the call,remote_addr=${address}`,
    });
  expect((await other).code).toBe(grpc.status.CANCELLED);
});

test('so that a retry policy for UNAVAILABLE repeats them elsewhere', async () => {
  const [stops, stays] = [new Server(), new Server()];
  const addresses = await Promise.all([stops, stays].map((server) => server.start()));
  stays.answers = true;
  const { client, channel } = balanced(`static:///${addresses.map(({ address }) => address).join(',')}`, {
    methods: [{ service: 'echo.v1.Echo', method: 'Say', responseStream: false }],
    loadBalancing: { retry: { maxAttempts: 2, initialBackoff: 1 }, policy: 'round_robin' },
  });
  channel.connect();
  await expect.poll(() => channel.snapshot().endpoints.map(({ state }) => state)).toEqual(['ready', 'ready']);
  const calls = Array.from({ length: 10 }, () => call(client, 'unary'));
  await expect.poll(() => stops.arrived).toBe(5);
  stops.shutDown();
  for (const { code } of await Promise.all(calls)) expect(code).toBe(grpc.status.OK);
});

test('a server that cancels a call and keeps the connection says CANCELLED', async () => {
  const peer = await new RawPeer((arrived) =>
    arrived.headers['x-cancel'] === undefined
      ? answer(arrived, { messages: [message('hi')] })
      : arrived.stream.close(8),
  ).start();
  const { client } = balanced(peer.target);
  const metadata = new grpc.Metadata();
  metadata.set('x-cancel', '1');
  expect(await call(client, 'unary', { metadata })).toMatchObject({ code: grpc.status.CANCELLED });
  expect(await call(client, 'unary')).toMatchObject({ code: grpc.status.OK });
});

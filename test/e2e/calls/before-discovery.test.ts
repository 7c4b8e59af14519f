import * as grpc from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import type { EndpointListener, EndpointSource } from '../../../libs/grpc-lb/src/core/endpoint-source.js';
import type { LoadBalancingOptions } from '../../../libs/grpc-lb/src/core/options/load-balancing.js';
import { registerEndpointSource } from '../../../libs/grpc-lb/src/discovery/index.js';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { ScriptedBackend } from '../../support/nest/backend.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { patiently } from '../../support/time/patience.js';

expectNoLeaks();

let schemes = 0;

/** Discovery whose first answer is an error. */
class FailingDiscovery implements EndpointSource {
  readonly target: string;
  #listener: EndpointListener | undefined;

  constructor() {
    const scheme = `failing${++schemes}`;
    this.target = `${scheme}:///x`;
    registerEndpointSource(scheme, () => this);
  }

  start(listener: EndpointListener): void {
    this.#listener = listener;
    queueMicrotask(() => this.refresh());
  }

  refresh(): void {
    this.#listener?.onError(new Error('no such host'));
  }

  stop(): void {
    this.#listener = undefined;
  }

  find(...servers: readonly ScriptedBackend[]): void {
    this.#listener!.onEndpoints(servers.map(({ port }) => ({ address: { host: '127.0.0.1', port } })));
  }
}

const methods = [{ service: 'echo.v1.Echo', method: 'Say', responseStream: false }];

/** A client whose first discovery has failed. */
async function start(
  loadBalancing: LoadBalancingOptions,
): Promise<{ discovery: FailingDiscovery; client: BalancedClient }> {
  const discovery = new FailingDiscovery();
  const client = new BalancedClient({ target: discovery.target, loadBalancing, methods });
  client.balanced.connect();
  await client.until(() => client.snapshot.state === 'transient_failure');
  return { discovery, client };
}

/** Fails the first attempt of each call. */
async function failingOnce(): Promise<ScriptedBackend> {
  return new ScriptedBackend({
    say: ({ metadata }, done) => {
      if (metadata.get('grpc-previous-rpc-attempts').length > 0) done(null, { text: 'x' });
      else done({ code: grpc.status.UNAVAILABLE, details: 'not yet' });
    },
  }).start();
}

test('after a failed first discovery calls have the default deadline', async () => {
  const { client } = await start({ deadline: { timeout: 100 } });
  const call = client.say('x', { waitForReady: true });
  await expect(patiently(call, () => client.snapshot)).rejects.toMatchObject({
    code: grpc.status.DEADLINE_EXCEEDED,
    details: expect.stringMatching(/^Deadline exceeded after \d+\.\d{3}s/),
  });
  expect(client.snapshot.pending).toBe(0);
});

test('the server sees the default deadline of a call that waited for discovery', async () => {
  const server = await new ScriptedBackend({ say: (_call, done) => done(null, { text: 'x' }) }).start();
  const { discovery, client } = await start({ deadline: { timeout: 60_000 } });
  const call = client.say('x', { waitForReady: true });
  discovery.find(server);
  await call;
  const left = Number(server.seen[0]!.deadline) - Date.now();
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThanOrEqual(60_000);
});

test('after a failed first discovery calls are retried', async () => {
  const server = await failingOnce();
  const { discovery, client } = await start({ retry: { maxAttempts: 2, initialBackoff: 1 } });
  // One call is older than the first list, the others come while it is adopted.
  const waiting = client.say('x', { waitForReady: true });
  discovery.find(server);
  const calls = [waiting, ...Array.from({ length: 5 }, () => client.say('x', { waitForReady: true }))];
  expect((await Promise.all(calls)).map(({ text }) => text)).toEqual(calls.map(() => 'x'));
  expect(server.seen).toHaveLength(2 * calls.length);
});

test('a call that does not wait for ready fails with the reason of discovery', async () => {
  const { client } = await start({});
  await expect(client.say()).rejects.toMatchObject({
    code: grpc.status.UNAVAILABLE,
    details: expect.stringMatching(/^client ECHO: .*no such host/),
  });
});

test('so does one that started before discovery failed', async () => {
  const discovery = new FailingDiscovery();
  const client = new BalancedClient({ target: discovery.target });
  await expect(client.say()).rejects.toMatchObject({
    code: grpc.status.UNAVAILABLE,
    details: expect.stringMatching(/no such host/),
  });
});

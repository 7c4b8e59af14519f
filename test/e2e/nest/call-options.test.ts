import { Metadata, type ServiceError, status as Status } from '@grpc/grpc-js';
import { type GrpcLbCallOptions, promises, retry } from 'nestjs-grpc-lb';
import { describe, expect, it } from 'vitest';
import { startBackends } from '../../support/echo/backends.js';
import { staticTarget } from '../../support/echo/cluster.js';
import type { EchoStub } from '../../support/nest/app.js';
import { failure, ScriptedBackend } from '../../support/nest/backend.js';
import { connect, WAYS } from '../../support/nest/both-ways.js';
import { answer, message, RawPeer, requestsOf } from '../../support/peers/raw-peer.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'OK',
    (error: unknown) => Status[(error as ServiceError).code]!,
  );
}

describe.each(WAYS)('options of one call, %s', (_, more) => {
  it.each<[GrpcLbCallOptions, number]>([
    [{}, 4],
    [{ retry: { maxAttempts: 2 } }, 2],
    [{ retry: { maxAttempts: 5 } }, 4],
    [{ retry: false }, 1],
    [{ hedge: false }, 4],
  ])('%j: the call of a method with four attempts has %i', async (options, attempts) => {
    const backend = await new ScriptedBackend({
      say: (_call, done) => done(failure(Status.UNAVAILABLE, 'no')),
    }).start();
    const loadBalancing = { retry: retry({ maxAttempts: 4, initialBackoff: 1 }), ejection: { enabled: false } };
    const echo = await connect(backend.target, { ...more, loadBalancing });
    expect(await codeOf(promises(echo).say({}, options))).toBe('UNAVAILABLE');
    expect(backend.seen).toHaveLength(attempts);
  });

  it('a call is not hedged that says so', async () => {
    const servers = await startBackends(2);
    for (const each of servers) each.slow(50);
    const hedge = { methods: { Say: { delay: 1 } }, maxShare: 1 };
    const echo = await connect(staticTarget(servers), { ...more, loadBalancing: { hedge } });
    const sent = async (options: GrpcLbCallOptions): Promise<number> => {
      const before = servers.reduce((sum, { calls }) => sum + calls, 0);
      await promises(echo).say({}, options);
      return servers.reduce((sum, { calls }) => sum + calls, -before);
    };
    // A hedge goes to another endpoint, which must be connected.
    await expect.poll(() => sent({})).toBe(2);
    expect(await sent({ hedge: false })).toBe(1);
    expect(await sent({ hedge: { maxAttempts: 1 } })).toBe(1);
    expect(await sent({ retry: false })).toBe(2);
  });

  it('an attempt timeout of its own ends the attempts of a call', async () => {
    const backend = await new ScriptedBackend({ say: () => {} }).start();
    const echo = await connect(backend.target, more);
    await expect(promises(echo).say({}, { attemptTimeout: 30 })).rejects.toThrow('within 30 ms (retry.attemptTimeout)');
    const none = { ...more, loadBalancing: { retry: retry({ maxAttempts: 1, attemptTimeout: 20 }) } };
    const patient = await connect(backend.target, none);
    const left = promises(patient).say({}, { attemptTimeout: false, timeout: 150 });
    await expect(left).rejects.toThrow('Deadline exceeded');
  });

  it('sends metadata that is an object, and leaves it as it is', async () => {
    const backend = await new ScriptedBackend({ say: (_call, done) => done(null, {}) }).start();
    const echo = await connect(backend.target, more);
    const metadata = Object.freeze({ 'x-tenant': 'acme', 'x-many': ['a', 'b'], 'x-raw-bin': Buffer.from([1, 2]) });
    const options = Object.freeze({ metadata, criticality: 'sheddable' as const, timeout: 5000 });
    for (let i = 0; i < 2; i++) await promises(echo).say({}, options);
    for (const { metadata: sent } of backend.seen) {
      expect(sent.get('x-tenant')).toEqual(['acme']);
      expect(sent.get('x-many').flatMap((each) => String(each).split(', '))).toEqual(['a', 'b']);
      expect(sent.get('x-raw-bin')).toEqual([Buffer.from([1, 2])]);
      expect(sent.get('x-criticality')).toEqual(['sheddable']);
    }
  });

  it('waits for an endpoint with waitForReady, until the timeout', async () => {
    const echo = await connect('static:///127.0.0.1:1', more);
    expect(await codeOf(promises(echo).say({}, { timeout: 5000 }))).toBe('UNAVAILABLE');
    expect(await codeOf(promises(echo).say({}, { waitForReady: true, timeout: 100 }))).toBe('DEADLINE_EXCEEDED');
    const metadata = new Metadata({ waitForReady: true });
    expect(await codeOf(promises(echo).say({}, metadata, { waitForReady: false, timeout: 5000 }))).toBe('UNAVAILABLE');
  });

  it('a hash key decides where the call goes, whatever the policy takes it from', async () => {
    const servers = await startBackends(3);
    for (const by of ['x-session', { field: 'text' }, () => 'same'] as const) {
      const echo = await connect(staticTarget(servers), {
        ...more,
        loadBalancing: { policy: { name: 'ring_hash', by } },
      });
      const at = async (hashKey: string): Promise<string> =>
        (await promises(echo).say({ text: 'x' }, { hashKey, metadata: { 'x-session': 'y' } })).server;
      const keys = Array.from({ length: 60 }, (_each, i) => `key ${i}`);
      // Until all are connected, calls go to those that are.
      await expect.poll(async () => new Set(await Promise.all(keys.map(at))).size).toBe(3);
      const once = await Promise.all(keys.map(at));
      expect(await Promise.all(keys.map(at))).toEqual(once);
    }
  });

  it('requests of a call are compressed, or not, as it says', async () => {
    const sent: unknown[] = [];
    const peer = await new RawPeer(async (arrived) => {
      const bytes = await requestsOf(arrived);
      sent.push([arrived.headers['grpc-encoding'], bytes[0]]);
      answer(arrived, { headers: { 'grpc-accept-encoding': 'identity,gzip' }, messages: [message('')] });
    }).start();
    const say = async (echo: EchoStub, options: GrpcLbCallOptions): Promise<unknown> => {
      await promises(echo).say({ text: 'x'.repeat(100) }, options);
      return sent.pop();
    };
    const plain = await connect(peer.target, more);
    expect(await say(plain, {})).toEqual([undefined, 0]);
    expect(await say(plain, { compression: 'gzip' })).toEqual(['gzip', 1]);
    // Now it knows what the server accepts.
    expect(await say(plain, { compression: 'deflate' })).toEqual([undefined, 0]);
    const gzip = await connect(peer.target, { ...more, channelOptions: { 'grpc.default_compression_algorithm': 2 } });
    expect(await say(gzip, {})).toEqual(['gzip', 1]);
    expect(await say(gzip, { compression: 'identity' })).toEqual([undefined, 0]);
  });
});

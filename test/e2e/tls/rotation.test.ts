import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { TestAuthority } from 'nestjs-grpc-lb/testing';
import { startBackend } from '../../support/echo/backends.js';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { staticTarget } from '../../support/echo/cluster.js';
import { filesOf, secretOf, volumeOfTest } from '../../support/peers/mounted-secret.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { eventually } from '../../support/time/patience.js';

expectNoLeaks();

const of = (client: BalancedClient, type: string) => client.events.filter((event) => event.type === type);

describe('certificates of a client that change', () => {
  const names = ['spiffe://example.org/client'];

  test('replace connections before the old ones close, without a failed call or a cut stream', async () => {
    const ca = new TestAuthority();
    const server = await startBackend({ tls: { ...ca.issue(), clientCa: ca.cert } });
    const volume = volumeOfTest(ca.cert, ca.issue({ names }));
    const tls = { ...filesOf(volume), replaceWithin: 0 };
    const client = await new BalancedClient({ target: staticTarget([server]), tls }).ready(1);
    const { stream } = await client.openStream();
    let ended = false;
    stream.on('error', () => (ended = true)).on('end', () => (ended = true));
    const before = client.snapshot.tls!.fingerprint;
    volume.replace(secretOf(ca.cert, ca.issue({ names })));
    await client.until(() => of(client, 'connection_opened').length === 2);
    await client.until(() => client.snapshot.tls!.outdatedConnections === 0);
    expect(client.snapshot.tls!.fingerprint).not.toBe(before);
    expect(of(client, 'certificates_rotated')).toMatchObject([{ fingerprint: client.snapshot.tls!.fingerprint }]);
    expect(client.snapshot.endpoints[0]!.connections.map(({ state }) => state)).toEqual(['retiring', 'ready']);
    await client.say();
    expect(ended).toBe(false);
    stream.cancel();
    await client.until(() => client.snapshot.endpoints[0]!.connections.length === 1);
    expect(of(client, 'connection_closed')).toMatchObject([{ reason: 'retired: certificates' }]);
    expect(server.connections).toBe(2);
  });

  test('lose no call when the CA changes by a bundle of both', async () => {
    const [old, next] = [new TestAuthority('old'), new TestAuthority('new')];
    const both = old.cert + next.cert;
    const servers = [
      await startBackend({ tls: { ...old.issue(), clientCa: both } }),
      await startBackend({ tls: { ...next.issue(), clientCa: both } }),
    ];
    const volume = volumeOfTest(old.cert, old.issue({ names }));
    const tls = { ...filesOf(volume), replaceWithin: 50 };
    const client = await new BalancedClient({ target: staticTarget(servers), tls }).ready(1);
    let calls = 0;
    let stop = false;
    const load = (async () => {
      for (; !stop; calls++) await client.say();
    })();
    // First the bundle, so that the server with a certificate of the new CA is accepted, then a certificate of the new CA.
    volume.replace(secretOf(both, old.issue({ names })));
    await client.ready(2);
    const before = calls;
    await eventually(() => calls > before + 10);
    volume.replace(secretOf(both, next.issue({ names })));
    await client.until(() => of(client, 'certificates_rotated').length === 2);
    await client.until(() => client.snapshot.tls!.outdatedConnections === 0);
    const during = calls;
    await eventually(() => calls > during + 10);
    stop = true;
    await load;
    expect(client.snapshot.tls).toMatchObject({ authorities: 2, rotations: 2, error: null });
    expect(client.snapshot.endpoints.map(({ connections }) => connections.length)).toEqual([1, 1]);
  });

  test('stay in use when what follows is broken, until something good comes', async () => {
    const ca = new TestAuthority();
    const server = await startBackend({ tls: { ...ca.issue(), clientCa: ca.cert } });
    const good = ca.issue({ names });
    const volume = volumeOfTest(ca.cert, good);
    const tls = { ...filesOf(volume), replaceWithin: 0 };
    const client = await new BalancedClient({ target: staticTarget([server]), tls }).ready(1);
    volume.replace(secretOf(ca.cert, { cert: ca.issue({ names }).cert, key: good.key }));
    await client.until(() => of(client, 'certificates_rejected').length === 1);
    expect(of(client, 'certificates_rejected')[0]).toMatchObject({
      uses: 'last',
      reason: expect.stringMatching(
        /^tls\.key \(\/.*tls\.key\) does not belong to the certificate; replace both at once/,
      ),
    });
    expect(client.snapshot.tls).toMatchObject({ state: 'rejected', rejections: 1, rotations: 0 });
    // A new connection works too.
    await server.cut();
    await client.until(() => of(client, 'connection_closed').length === 1);
    await client.say('x', { waitForReady: true });
    writeFileSync(volume.path('tls.key'), 'half');
    volume.replace(secretOf(ca.cert, ca.issue({ names })));
    await client.until(() => of(client, 'certificates_rotated').length === 1);
    expect(client.snapshot.tls).toMatchObject({ state: 'ok', error: null, rotations: 1 });
  });

  test('that a server refuses do not cost the connection that exists', async () => {
    const ca = new TestAuthority();
    const server = await startBackend({ tls: { ...ca.issue(), clientCa: ca.cert } });
    const volume = volumeOfTest(ca.cert, ca.issue({ names }));
    const tls = { ...filesOf(volume), replaceWithin: 0 };
    const client = await new BalancedClient({ target: staticTarget([server]), tls }).ready(1);
    volume.replace(secretOf(ca.cert, new TestAuthority('other').issue({ names })));
    await client.until(() => of(client, 'connection_not_replaced').length === 1);
    expect(client.snapshot.tls).toMatchObject({
      state: 'ok',
      outdatedConnections: 1,
      replacementError: expect.stringContaining(server.address),
    });
    await client.say();
    volume.replace(secretOf(ca.cert, ca.issue({ names })));
    await client.until(() => client.snapshot.tls!.outdatedConnections === 0 && client.snapshot.tls!.rotations === 2);
    expect(client.snapshot.tls!.replacementError).toBeNull();
    await client.say();
  });

  test('apply to endpoints that drain and come back', async () => {
    const ca = new TestAuthority();
    const servers = [
      await startBackend({ tls: { ...ca.issue(), clientCa: ca.cert } }),
      await startBackend({ tls: { ...ca.issue(), clientCa: ca.cert } }),
    ];
    const volume = volumeOfTest(ca.cert, ca.issue({ names }));
    const tls = { ...filesOf(volume), replaceWithin: 0 };
    const client = await new BalancedClient({ target: staticTarget(servers), tls }).ready(2);
    const { stream, server } = await client.openStream();
    client.balanced.endpointActions.drain(server);
    volume.replace(secretOf(ca.cert, ca.issue({ names })));
    await client.until(() => of(client, 'certificates_rotated').length === 1);
    await client.until(() => client.snapshot.tls!.outdatedConnections === 0);
    client.balanced.endpointActions.restore(server);
    await client.until(() => {
      const { connections } = client.snapshot.endpoints.find(({ address }) => address === server)!;
      return connections.map(({ state }) => state).join() === 'retiring,ready';
    });
    stream.on('error', () => {});
    stream.cancel();
  });
});

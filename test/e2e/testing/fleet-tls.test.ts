import { connect } from 'node:tls';
import { credentials } from '@grpc/grpc-js';
import { Module } from '@nestjs/common';
import { GrpcLbClient, GrpcLbModule, GrpcLbRegistry, GrpcService } from 'nestjs-grpc-lb';
import { createBalancedChannel } from 'nestjs-grpc-lb/grpc';
import { createFleet, type Fleet, repeat, TestAuthority, trackLeaks } from 'nestjs-grpc-lb/testing';
import { firstValueFrom } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ECHO_PROTO } from '../../support/echo/cluster.js';
import type { EchoService } from '../../support/nest/app.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { appOfFleet, EchoClient, fleetOfTest } from '../../support/testing/fleet-app.js';

expectNoLeaks();

const DAY_MS = 86_400_000;
const SOON = { timeout: 50 };

/** The error of a client that is never ready. */
async function whyNot(fleet: Fleet, more: Parameters<Fleet['client']>[1]): Promise<string> {
  let found = '';
  await appOfFleet(fleet, more, undefined, SOON).catch((error: unknown) => (found = String(error)));
  // A client may need more than that for its first attempt.
  const look = async (): Promise<string> =>
    fleet.ready(1, { timeout: 10 }).then(
      () => 'it is ready',
      (error: unknown) => String(error),
    );
  await expect.poll(async () => (found = await look())).toMatch(/EchoClient: transient_failure, .*|it is ready/);
  return found;
}

describe('a fleet with TLS', () => {
  it.each([true, 'mutual'] as const)('(%s) is called by clients, which know its CA', async (tls) => {
    const fleet = await fleetOfTest({ tls });
    const { echo, app } = await appOfFleet(fleet);
    expect((await repeat(30, () => echo.say({ text: 'a' }))).errors).toEqual([]);
    fleet.expectShares({ within: 0.5 });
    expect(app.get(GrpcLbRegistry).snapshot(EchoClient).tls).toMatchObject({ state: 'ok', authorities: 1 });
    expect(Object.keys(fleet.tls!)).toEqual(
      tls === 'mutual' ? ['ca', 'serverName', 'cert', 'key'] : ['ca', 'serverName'],
    );
  });

  it('does all that another does: it dies, drains, hangs, is full, behind a partition, and starts anew', async () => {
    const fleet = await fleetOfTest({ tls: true });
    const { echo } = await appOfFleet(fleet, {
      channelOptions: { 'grpc.initial_reconnect_backoff_ms': 20 },
      loadBalancing: { retry: { maxAttempts: 3, retryableStatusCodes: ['UNAVAILABLE'] } },
    });
    const say = (): unknown => repeat(20, () => echo.say({ text: 'a' })).then(({ errors }) => errors);
    await fleet[0].stop();
    expect([fleet[0].connections, await say()]).toEqual([0, []]);
    await fleet[0].restart();
    await fleet.ready();
    await fleet[1].drain();
    expect([fleet[1].connections, await say()]).toEqual([0, []]);
    await fleet[1].restart();
    await fleet.ready();
    await fleet[2].limitStreams(4);
    await fleet.ready();
    expect(await say()).toEqual([]);
    fleet.remove(0);
    fleet.remove(1);
    await fleet.ready();
    fleet[2].partition();
    const answer = firstValueFrom(echo.say({ text: 'late' }));
    await expect(firstValueFrom(echo.say({ text: 'b' }, { timeout: 30 }))).rejects.toMatchObject({ code: 4 });
    fleet[2].heal();
    expect(await answer).toMatchObject({ text: 'late' });
  });

  it('is silent to new connections while it is behind a partition', async () => {
    const fleet = await fleetOfTest({ tls: true, backends: 1 });
    fleet[0].partition();
    const { port } = new URL(`tls://${fleet[0].address}`);
    const socket = connect({
      port: Number(port),
      host: '127.0.0.1',
      ca: fleet.tls!.ca as string,
      ALPNProtocols: ['h2'],
    });
    onTestFinished(() => void socket.destroy());
    const secured = new Promise((resolve) => socket.once('secureConnect', resolve));
    const early = await Promise.race([secured.then(() => 'secured'), fleet.ready(1, SOON).catch(() => 'silent')]);
    expect(early).toBe('silent');
    fleet[0].heal();
    await secured;
    expect(socket.alpnProtocol).toBe('h2');
  });

  it('leaves no socket', async () => {
    const leaks = trackLeaks();
    const fleet = await createFleet({ client: EchoClient, tls: 'mutual', backends: 2 });
    const { app, echo } = await appOfFleet(fleet);
    fleet[0].hang();
    const calls = repeat(4, () => echo.say({ text: 'a' }));
    while (fleet[0].inFlight === 0) await new Promise((resolve) => setImmediate(resolve));
    await fleet.close();
    await app.close();
    await calls;
    await leaks.expectNone();
  });

  it('takes the place of the TLS and the credentials of a client, with or without TLS', async () => {
    const declared = {
      package: 'echo.v1',
      service: 'Echo',
      protoPath: ECHO_PROTO,
      target: 'dns:///echo.invalid:50051',
    };
    @GrpcLbClient({ ...declared, tls: { ca: '/not/there', serverName: 'echo.shop' } })
    class WithTls extends GrpcService<EchoService>() {}
    @GrpcLbClient({ ...declared, credentials: credentials.createSsl() })
    class WithCredentials extends GrpcService<EchoService>() {}
    for (const tls of [true, false]) {
      for (const client of [WithTls, WithCredentials]) {
        @Module({ imports: [GrpcLbModule.forRoot({ logging: false }), GrpcLbModule.forFeature([client])] })
        class AppModule {}
        const fleet = await fleetOfTest({ backends: 1, tls });
        const { echo } = await appOfFleet(fleet, {}, AppModule, undefined, client);
        expect(await firstValueFrom(echo.say({ text: 'a' }))).toMatchObject({ text: 'a' });
      }
    }
  });

  it('refuses a client without a certificate if it is mutual', async () => {
    const fleet = await fleetOfTest({ tls: 'mutual', backends: 1 });
    const { ca } = fleet.tls!;
    expect(await whyNot(fleet, { tls: { ca, serverName: 'localhost' } })).toContain('EchoClient: transient_failure');
    const { cert, key } = new TestAuthority('other').issue();
    expect(await whyNot(fleet, { tls: { ...fleet.tls, cert, key } })).toContain('EchoClient: transient_failure');
    expect(fleet.calls()).toEqual([]);
  });

  it('presents certificates of a test: expired, for another host, of another CA', async () => {
    const authority = new TestAuthority();
    const expired = authority.issue({ from: new Date(Date.now() - 2 * DAY_MS), until: new Date(Date.now() - DAY_MS) });
    const other = authority.issue({ names: ['orders.shop'] });
    const found: string[] = [];
    for (const tls of [expired, other]) {
      const fleet = await fleetOfTest({ backends: 1, tls: { ...tls, ca: authority.cert } });
      found.push(await whyNot(fleet, {}));
    }
    const fleet = await fleetOfTest({ backends: 1, tls: { ...authority.issue(), ca: authority.cert } });
    found.push(await whyNot(fleet, { tls: { ...fleet.tls, ca: new TestAuthority('other').cert } }));
    expect(found[0]).toContain('certificate has expired');
    expect(found[1]).toContain("does not match certificate's altnames");
    expect(found[2]).toMatch(/unable to get local issuer certificate|unable to verify/);
  });

  it('verifies clients by the CAs that it is given', async () => {
    const [servers, clients] = [new TestAuthority('servers'), new TestAuthority('clients')];
    const fleet = await fleetOfTest({
      backends: 1,
      tls: { ...servers.issue(), ca: servers.cert, clientCa: clients.cert },
    });
    const { echo } = await appOfFleet(fleet, { tls: { ...fleet.tls, ...clients.issue({ names: ['me'] }) } });
    expect(await firstValueFrom(echo.say({ text: 'a' }))).toMatchObject({ text: 'a' });
  });

  it('may have a SPIFFE id, which clients verify instead of the name', async () => {
    const authority = new TestAuthority();
    const own = authority.issue({ names: ['spiffe://example.org/orders'] });
    const fleet = await fleetOfTest({ backends: 1, tls: { ...own, ca: authority.cert } });
    const { echo } = await appOfFleet(fleet, {
      tls: { ca: authority.cert, spiffeIds: ['spiffe://example.org/orders'] },
    });
    expect(await firstValueFrom(echo.say({ text: 'a' }))).toMatchObject({ text: 'a' });
  });

  it('is called by bare channels, and says so if they speak no TLS', async () => {
    const fleet = await fleetOfTest({ tls: true, backends: 1 });
    const secure = createBalancedChannel({ name: 'SECURE', target: fleet.target, tls: fleet.tls! });
    secure.getConnectivityState(true);
    onTestFinished(() => secure.close());
    await fleet.ready();
    await fleet[0].restart();
    secure.close();
    const plain = createBalancedChannel({
      name: 'PLAIN',
      target: fleet.target,
      credentials: credentials.createInsecure(),
    });
    plain.getConnectivityState(true);
    onTestFinished(() => plain.close());
    const readiness = async (): Promise<string> =>
      fleet.ready(1, { timeout: 10 }).then(
        () => 'ready',
        (error: unknown) => String(error),
      );
    await expect.poll(readiness).toContain('0 connections; a client speaks no TLS to it; use fleet.client(), or set');
  });
});

it.each<[unknown, string]>([
  ['on', '- tls is "on"; use true, "mutual", or { cert, key }'],
  [null, '- tls is null; use true'],
  [{ cert: new TestAuthority().cert }, '- tls.key is missing; set it, or use tls: true'],
  [{ cert: '/tmp/tls.crt', key: '/tmp/tls.key' }, '- tls.cert is not PEM; use a text with -----BEGIN'],
  [{ ...new TestAuthority().issue(), key: new TestAuthority().issue().key }, '- tls cannot be used: '],
  [{ ...new TestAuthority().issue(), certs: '' }, '- tls.certs is not an option; did you mean "cert"?'],
])('TLS is checked: %#', async (tls, message) => {
  const error = await createFleet({ client: EchoClient, tls: tls as never }).then(
    async (fleet) => fleet.close(),
    (reason: unknown) => String(reason),
  );
  expect(error).toContain(message);
  expect(error).not.toContain('PRIVATE KEY');
});

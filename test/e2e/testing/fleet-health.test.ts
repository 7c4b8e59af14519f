import { GrpcLbRegistry } from 'nestjs-grpc-lb';
import { createFleet, type Fleet, repeat } from 'nestjs-grpc-lb/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Echo } from '../../support/echo/cluster.js';
import { Health, healthClient, HealthWatch } from '../../support/peers/health-watch.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { appOfFleet, EchoClient, fleetOfTest } from '../../support/testing/fleet-app.js';

expectNoLeaks();

const watching = (service: string) => ({ loadBalancing: { health: { service } } });

/** The backends that get calls. */
async function callsOf(fleet: Fleet, app: Awaited<ReturnType<typeof appOfFleet>>): Promise<boolean[]> {
  fleet.clear();
  expect((await repeat(30, () => app.echo.say({ text: 'a' }))).errors).toEqual([]);
  return [...fleet].map(({ calls }) => calls > 0);
}

function check(address: string, service: string): Promise<string> {
  return new Promise((resolve, reject) => {
    healthClient(address).check({ service }, (error, answer) => (error ? reject(error) : resolve(answer!.status)));
  });
}

describe('the health of a backend', () => {
  it('takes it out and puts it back', async () => {
    const fleet = await fleetOfTest();
    const app = await appOfFleet(fleet);
    expect(fleet.calls()).toEqual([]);
    expect(await callsOf(fleet, app)).toEqual([true, true, true]);
    fleet[1].setHealth('NOT_SERVING');
    await fleet.ready();
    expect(await callsOf(fleet, app)).toEqual([true, false, true]);
    fleet[1].setHealth('SERVING');
    await fleet.ready();
    expect(await callsOf(fleet, app)).toEqual([true, true, true]);
    expect([...fleet].map(({ inFlight }) => inFlight)).toEqual([0, 0, 0]);
  });

  it('is by service, of which a client watches one', async () => {
    const fleet = await fleetOfTest();
    const app = await appOfFleet(fleet, watching('echo.v1.Echo'));
    fleet[0].setHealth('NOT_SERVING', 'echo.v1.Mirror');
    fleet[1].setHealth('NOT_SERVING', '');
    fleet[2].setHealth('NOT_SERVING', 'echo.v1.Echo');
    await fleet.ready();
    expect(await callsOf(fleet, app)).toEqual([true, true, false]);
    expect(await check(fleet[0].address, 'echo.v1.Mirror')).toBe('NOT_SERVING');
  });

  it('of a service that it does not have is an error, until it is set', async () => {
    const fleet = await fleetOfTest({ backends: 1 });
    await expect(appOfFleet(fleet, watching('orders'), undefined, { timeout: 10 })).rejects.toThrow('not ready within');
    const readiness = async (): Promise<string> =>
      String(await fleet.ready(1, { timeout: 10 }).catch((error: unknown) => error));
    await expect.poll(readiness).toContain('1 connections; EchoClient: not_serving, health of orders: SERVICE_UNKNOWN');
    fleet[0].setHealth('SERVING', 'orders');
    await fleet.ready();
  });

  it('starts anew with it, and recovers', async () => {
    const fleet = await fleetOfTest({ backends: 1 });
    fleet[0].setHealth('NOT_SERVING');
    await fleet[0].restart();
    expect(await check(fleet[0].address, '')).toBe('SERVING');
    fleet[0].setHealth('UNKNOWN');
    fleet[0].recover();
    expect(await check(fleet[0].address, 'echo.v1.Echo')).toBe('SERVING');
  });

  it('is what any client of the health service gets', async () => {
    const fleet = await fleetOfTest({ backends: 1 });
    const { address } = fleet[0];
    expect(await check(address, '')).toBe('SERVING');
    await expect(check(address, 'orders')).rejects.toMatchObject({
      code: 5,
      details: 'the service "orders" is unknown',
    });
    const watch = new HealthWatch(address, 'orders');
    expect(await watch.next()).toBe('SERVICE_UNKNOWN');
    fleet[0].setHealth('SERVING', 'orders');
    expect(await watch.next()).toBe('SERVING');
    fleet[0].setHealth('NOT_SERVING');
    expect(await watch.next()).toBe('NOT_SERVING');
    expect([fleet.calls(), fleet[0].mostInFlight]).toEqual([[], 0]);
  });

  it('keeps no backend from a drain, nor from a change of its limit', async () => {
    const fleet = await fleetOfTest({ backends: 2 });
    const { app } = await appOfFleet(fleet);
    const watch = new HealthWatch(fleet[0].address, '');
    expect(await watch.next()).toBe('SERVING');
    await fleet[0].limitStreams(10);
    expect(await watch.end).toMatchObject({ code: 14 });
    await fleet.ready();
    await Promise.all([...fleet].map((backend) => backend.drain()));
    expect([...fleet].map(({ connections }) => connections)).toEqual([0, 0]);
    await app.close();
  });

  it('is not there with health: false, as on a server without a health service', async () => {
    const fleet = await fleetOfTest({ backends: 1, health: false });
    const { app } = await appOfFleet(fleet);
    const [endpoint] = app.get(GrpcLbRegistry).snapshot(EchoClient).endpoints;
    expect(endpoint!.connections.map(({ health }) => health)).toEqual(['not_offered']);
    expect(() => fleet[0].setHealth('SERVING')).toThrow('setHealth: the fleet serves no health, because createFleet');
  });

  it('is answered by the handlers of a fleet that has the service itself', async () => {
    const fleet = await createFleet({
      definition: [Echo.service, Health.service],
      handlers: { check: () => ({ status: 'NOT_SERVING' }) },
    });
    onTestFinished(() => fleet.close());
    expect(await check(fleet[0].address, '')).toBe('NOT_SERVING');
    expect(() => fleet[0].setHealth('SERVING')).toThrow('or a definition that has grpc.health.v1.Health');
  });

  it('is one of four', async () => {
    const fleet = await fleetOfTest({ backends: 1 });
    expect(() => fleet[0].setHealth('DOWN' as never)).toThrow(
      'setHealth: status is "DOWN"; use one of UNKNOWN, SERVING, NOT_SERVING, SERVICE_UNKNOWN',
    );
    expect(() => fleet[0].setHealth('SERVING', 7 as never)).toThrow('setHealth: service is 7; use a text');
    await expect(createFleet({ client: EchoClient, health: 'on' as never })).rejects.toThrow('- health is "on"');
  });
});

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { freePort, listenOnFreePort, PortSlice } from './free-port.js';

const SYSTEM_PORTS = 32_768;

/** Listens on the port that is asked for, or on the first one that is free. */
async function listening(slice?: PortSlice): Promise<number> {
  const server = createServer();
  onTestFinished(() => void server.close());
  await listenOnFreePort(server, '127.0.0.1', slice);
  return (server.address() as AddressInfo).port;
}

it('finds ports that are different and that the system does not give away', async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, () => freePort()));
  expect(new Set(ports).size).toBe(20);
  expect(ports.filter((port) => port < 10_240 || port >= SYSTEM_PORTS)).toEqual([]);
});

it('workers that run at the same time have no port in common', () => {
  const portsOf = (worker: number): number[] => {
    const slice = new PortSlice(worker, 0.99);
    return Array.from({ length: 1000 }, () => slice.next());
  };
  const seen = new Set<number>();
  for (let worker = 100; worker < 144; worker++) {
    const own = new Set(portsOf(worker));
    expect(own.size).toBe(512);
    for (const port of own) {
      expect(seen.has(port)).toBe(false);
      seen.add(port);
    }
  }
  expect(Math.max(...seen)).toBeLessThan(SYSTEM_PORTS);
});

it('skips ports that are taken', async () => {
  const first = await listening(new PortSlice(43, 0.5));
  const second = await listening(new PortSlice(43, 0.5));
  expect(second).toBeGreaterThan(first);
  expect(second).toBeLessThan(SYSTEM_PORTS);
});

it('takes a port of the system if all others are taken', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const slice = { next: () => port } as unknown as PortSlice;
  expect(await listening(slice)).not.toBe(port);
});

it('says that the host is no address of this machine', async () => {
  await expect(freePort('192.0.2.1')).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
});

import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { expectNoLeaks, leaksSince, openResources } from './leaks.js';

expectNoLeaks();

describe('leaksSince', () => {
  it('lists a server until it is closed', async () => {
    const before = openResources();
    const server = createServer().listen(0);
    await once(server, 'listening');
    expect(await leaksSince(before, 0)).toEqual({ TCPServerWrap: 1 });
    server.close();
    expect(await leaksSince(before)).toEqual({});
  });

  it('waits for sockets that are closing', async () => {
    const before = openResources();
    const server = createServer((socket) => socket.resume()).listen(0);
    await once(server, 'listening');
    const client = connect((server.address() as AddressInfo).port);
    await Promise.all([once(server, 'connection'), once(client, 'connect')]);
    expect(await leaksSince(before, 0)).toMatchObject({ TCPServerWrap: 1, TCPSocketWrap: 2 });
    client.end();
    server.close();
    expect(await leaksSince(before)).toEqual({});
  });

  it('lists a timer only if it keeps the process alive', async () => {
    const before = openResources();
    const timer = setTimeout(() => {}, 60_000);
    expect(await leaksSince(before, 0)).toEqual({ Timeout: 1 });
    timer.unref();
    expect(await leaksSince(before)).toEqual({});
    clearTimeout(timer);
  });
});

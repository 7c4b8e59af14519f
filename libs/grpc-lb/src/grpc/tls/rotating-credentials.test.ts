import { type Socket } from 'node:net';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { RotatingCredentials } from './rotating-credentials.js';

/** The name that a handshake asks for by SNI, for a target. */
async function askedName(host: string): Promise<string | undefined> {
  const current = credentials.createSsl();
  const create = current['_createSecureConnector'].bind(current);
  let asked: string | undefined = 'not connected';
  const spying = Object.assign(current, {
    _createSecureConnector: (...args: Parameters<typeof create>) => {
      const connector = create(...args);
      connector.connect = () => {
        asked = (connector as unknown as { connectionOptions: { servername?: string } }).connectionOptions.servername;
        return Promise.reject(new Error('seen'));
      };
      return connector;
    },
  }) as ChannelCredentials;
  const rotating = new RotatingCredentials({ ready: () => Promise.resolve(), current: () => spying });
  const target = { scheme: 'dns', path: `${host}:1` };
  await rotating['_createSecureConnector'](target, {})
    .connect({} as Socket)
    .catch(() => {});
  return asked;
}

test('a handshake asks for the host of the target, unless it is an address, which Node 26 refuses as a name', async () => {
  expect(await askedName('orders.shop')).toBe('orders.shop');
  expect(await askedName('10.0.0.1')).toBeUndefined();
  expect(await askedName('[::1]')).toBeUndefined();
});

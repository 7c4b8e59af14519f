import { type Socket } from 'node:net';
import { type ChannelCredentials, credentials, Metadata } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { RotatingCredentials } from './rotating-credentials.js';
import { withoutAddressNames } from './without-address-names.js';

type Wrap = (current: ChannelCredentials) => ChannelCredentials;

const WAYS: Readonly<Record<string, Wrap>> = {
  'of the option tls': (current) => new RotatingCredentials({ ready: () => Promise.resolve(), current: () => current }),
  'of credentials of the user': withoutAddressNames,
  'of such credentials with those of calls': (current) =>
    withoutAddressNames(
      credentials.combineChannelCredentials(
        current,
        credentials.createFromMetadataGenerator((_, done) => done(null, new Metadata())),
      ),
    ),
};

/** The name that a handshake asks for by SNI, for a target. */
async function askedName(wrap: Wrap, host: string): Promise<string | undefined> {
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
  const target = { scheme: 'dns', path: `${host}:1` };
  const connector = wrap(spying)['_createSecureConnector'](target, {});
  await connector.connect({} as Socket).catch(() => {});
  return asked;
}

test.each(Object.entries(WAYS))(
  'a handshake %s asks for the host of the target, unless it is an address, which Node 26 refuses as a name',
  async (_, wrap) => {
    expect(await askedName(wrap, 'orders.shop')).toBe('orders.shop');
    expect(await askedName(wrap, '10.0.0.1')).toBeUndefined();
    expect(await askedName(wrap, '[::1]')).toBeUndefined();
  },
);

test('credentials that are equal stay so, so that clients share connections as with grpc-js', () => {
  const one = credentials.createSsl();
  expect(withoutAddressNames(one)['_equals'](withoutAddressNames(one))).toBe(true);
  expect(withoutAddressNames(one)['_equals'](one)).toBe(true);
  expect(withoutAddressNames(one)['_equals'](withoutAddressNames(credentials.createSsl()))).toBe(false);
  const insecure = credentials.createInsecure();
  expect(withoutAddressNames(insecure)).toBe(insecure);
});

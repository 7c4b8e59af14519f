import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { expect, test } from 'vitest';
import { withPeerNames } from './peer-names.js';

const peer = (subjectaltname?: string): PeerCertificate =>
  ({ subject: { CN: 'orders' }, subjectaltname }) as unknown as PeerCertificate;

test.each([
  ['DNS:orders.internal, DNS:b', "IP: 127.0.0.1 is not in the cert's list: DNS:orders.internal, DNS:b"],
  ['DNS:a, IP Address:10.0.0.1', "IP: 127.0.0.1 is not in the cert's list: DNS:a, IP Address:10.0.0.1"],
  [undefined, "IP: 127.0.0.1 is not in the cert's list: it has none"],
])('a certificate for %s is not for an IP address: all its names are listed', (names, expected) => {
  const error = withPeerNames(checkServerIdentity('127.0.0.1', peer(names))) as Error;
  expect(error.message).toBe(`Hostname/IP does not match certificate's altnames: ${expected}`);
});

test('other errors stay as they are', () => {
  const { message } = checkServerIdentity('orders', peer('DNS:b'))!;
  expect((withPeerNames(checkServerIdentity('orders', peer('DNS:b'))) as Error).message).toBe(message);
  expect(message).toContain('DNS:b');
  const other = new Error("x is not in the cert's list: y");
  expect(withPeerNames(other)).toBe(other);
  expect(other.message).toBe("x is not in the cert's list: y");
  expect(withPeerNames(undefined)).toBeUndefined();
});

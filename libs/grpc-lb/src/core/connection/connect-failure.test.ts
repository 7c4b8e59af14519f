import { expect, it } from 'vitest';
import { connectFailure } from './connect-failure.js';

it.each([
  [
    '802C22CB3D7F0000:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/openssl/ssl3_record.c:350:',
    'wrong version number: the client uses TLS, but the peer does not; enable TLS at the peer, or correct the port',
  ],
  [
    'Failed to connect',
    'Failed to connect: the peer closed the connection before HTTP/2 started; if it expects TLS, give the client tls: {}, or credentials: credentials.createSsl()',
  ],
  ['Protocol error', 'Protocol error: the peer does not speak HTTP/2; check that the port is the gRPC port'],
  [
    '808CA28CEB7F0000:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:../ssl/record.c:1601:SSL alert number 116',
    'tlsv13 alert certificate required: the peer requires a certificate of this client; set tls.cert and tls.key',
  ],
  [
    'certificate has expired',
    'certificate has expired: the certificate of the peer, or of its CA, has expired; renew it there, or check the clock of this machine',
  ],
  ['connect ECONNREFUSED 10.0.0.1:50051', 'connect ECONNREFUSED 10.0.0.1:50051'],
])('%s', (error, meaning) => expect(connectFailure(error)).toBe(meaning));

it('a connection that is closed after a TLS handshake needs no hint to use TLS', () => {
  const remedy =
    'if it verifies clients, it may not accept the certificate of this one; check tls.cert, and which CAs the peer trusts';
  expect(connectFailure('Failed to connect', true)).toBe(
    `Failed to connect: the peer closed the connection after the TLS handshake; ${remedy}`,
  );
  expect(connectFailure('read ECONNRESET', true)).toBe(
    `read ECONNRESET: the peer reset the connection in or after the TLS handshake; ${remedy}`,
  );
  expect(connectFailure('read ECONNRESET')).toBe('read ECONNRESET');
});

it('what a certificate with many names means is not displaced by them', () => {
  const names = Array.from({ length: 1000 }, (_, i) => `DNS:host-${i}.example.org`).join(', ');
  const text = connectFailure(`Hostname/IP does not match certificate's altnames: Host: a. is not in: ${names}`, true);
  expect(text).toMatch(/^Hostname\/IP does not match certificate's altnames: Host: a\. is not in: DNS:host-0/);
  expect(text).toMatch(/: the certificate of the peer is for other names; issue one .* that it has$/);
  expect(text.length).toBeLessThan(400);
});

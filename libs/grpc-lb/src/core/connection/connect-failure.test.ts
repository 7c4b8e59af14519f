import { expect, it } from 'vitest';
import { connectFailure } from './connect-failure.js';

it.each([
  [
    '802C22CB3D7F0000:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/openssl/ssl3_record.c:350:',
    'wrong version number: the client uses TLS, but the peer does not; remove credentials, or enable TLS at the peer',
  ],
  [
    'Failed to connect',
    'Failed to connect: the peer closed the connection before HTTP/2 started; if it expects TLS, give the client credentials: credentials.createSsl()',
  ],
  ['Protocol error', 'Protocol error: the peer does not speak HTTP/2; check that the port is the gRPC port'],
  ['connect ECONNREFUSED 10.0.0.1:50051', 'connect ECONNREFUSED 10.0.0.1:50051'],
])('%s', (error, meaning) => expect(connectFailure(error)).toBe(meaning));

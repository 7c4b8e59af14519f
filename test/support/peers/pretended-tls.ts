import { type ChannelCredentials, credentials } from '@grpc/grpc-js';

/** Credentials that count as secure, and connect without TLS: for tests of call credentials that need no certificates. */
export function pretendedTls(): ChannelCredentials {
  const insecure = credentials.createInsecure();
  insecure['_isSecure'] = () => true;
  return insecure;
}

import { type CallCredentials, type ChannelCredentials, credentials } from '@grpc/grpc-js';

/**
 * Credentials that count as secure, and connect without TLS: for tests of call credentials that need no certificates.
 *
 * @param ofChannel The call credentials of the channel.
 */
export function pretendedTls(ofChannel?: CallCredentials): ChannelCredentials {
  const insecure = credentials.createInsecure();
  insecure['_isSecure'] = () => true;
  const connector = insecure['_createSecureConnector'].bind(insecure);
  insecure['_createSecureConnector'] = (target, options) => connector(target, options, ofChannel);
  return insecure;
}

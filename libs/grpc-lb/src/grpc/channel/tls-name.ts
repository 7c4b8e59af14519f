import type { ChannelCredentials, ChannelOptions } from '@grpc/grpc-js';
import type { Fault } from '../../core/errors.js';
import { shown } from '../../core/options/validation.js';
import { withoutSecrets } from '../../core/target-secrets.js';
import { hostOf } from './default-authority.js';

const OVERRIDE = 'grpc.ssl_target_name_override';

/** A name that no certificate has (RFC 2606), so that none is accepted. */
const NO_NAME = 'target-names-no-host.invalid';

/** The method is public in all but its name: grpc-js asks it before it combines credentials. */
export function isSecure(credentials: ChannelCredentials): boolean {
  return credentials['_isSecure']();
}

/**
 * A target without a host has the authority `localhost`, as in gRPC. TLS must not verify that: any process of any machine
 * may have a certificate for it.
 */
export function tlsNameFaults(
  target: string,
  credentials: ChannelCredentials,
  channelOptions: ChannelOptions = {},
): Fault[] {
  if (!isSecure(credentials) || channelOptions[OVERRIDE] || hostOf(target) !== undefined) return [];
  return [
    {
      path: `channelOptions["${OVERRIDE}"]`,
      message:
        `is missing: target ${shown(withoutSecrets(target))} has no host name for TLS to verify the endpoints' certificates against; ` +
        `name it, as in { '${OVERRIDE}': 'orders.internal' }`,
    },
  ];
}

/** The same for channels that nobody checks before: TLS fails, and says why. Without TLS it has no effect. */
export function tlsNameAttribute(target: string, channelOptions: ChannelOptions): ChannelOptions {
  return channelOptions[OVERRIDE] || hostOf(target) !== undefined ? {} : { [OVERRIDE]: NO_NAME };
}

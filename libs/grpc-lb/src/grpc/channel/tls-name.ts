import type { ChannelCredentials, ChannelOptions } from '@grpc/grpc-js';
import type { Fault } from '../../core/errors.js';
import { shown } from '../../core/options/validation.js';
import { withoutSecrets } from '../../core/target-secrets.js';
import { hostOf } from './default-authority.js';

const OVERRIDE = 'grpc.ssl_target_name_override';

/** A name for which no certificate exists (RFC 2606), so that TLS accepts none. */
export const NO_NAME = 'target-names-no-host.invalid';

/** Uses a private method that grpc-js itself calls before it combines credentials. */
export function isSecure(credentials: ChannelCredentials): boolean {
  return credentials['_isSecure']();
}

/**
 * A target without a host has the authority `localhost`, as in gRPC. TLS must not verify that name: any process on any
 * machine may have a certificate for it.
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

/**
 * Protects channels that are not checked in advance: TLS fails, and its error names the cause. No effect without TLS.
 */
export function tlsNameAttribute(target: string, channelOptions: ChannelOptions): ChannelOptions {
  return channelOptions[OVERRIDE] || hostOf(target) !== undefined ? {} : { [OVERRIDE]: NO_NAME };
}

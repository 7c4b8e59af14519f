import type { ChannelCredentials, ChannelOptions } from '@grpc/grpc-js';
import type { Fault } from '../../core/errors.js';
import { shown } from '../../core/options/validation.js';
import { withoutSecrets } from '../../core/target-secrets.js';
import type { TlsOptions } from '../../tls/options.js';
import { splitHostPort } from '../experimental.js';
import { TargetNames } from '../context/target-names.js';
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
 * machine may have a certificate for it. Each target must have a name, because each is verified against its own.
 *
 * @param tls The option `tls`; undefined for credentials of the user.
 */
export function tlsNameFaults(
  targets: readonly string[],
  tls: TlsOptions | undefined,
  channelOptions: ChannelOptions = {},
): Fault[] {
  const serverName = tls?.serverName;
  if (channelOptions[OVERRIDE]) {
    if (serverName === undefined) return [];
    return [{ path: 'tls.serverName', message: `is set together with channelOptions["${OVERRIDE}"]; remove that` }];
  }
  if (typeof serverName === 'object' && serverName.length !== targets.length) {
    const message = `is a list of ${serverName.length}, and there are ${targets.length} targets; give one name, or one for each target`;
    return [{ path: 'tls.serverName', message }];
  }
  // A SPIFFE id is verified instead of a name.
  if (serverName !== undefined || tls?.spiffeIds) return [];
  return targets
    .filter((target) => hostOf(target) === undefined)
    .map((target) => {
      const missing = `target ${shown(withoutSecrets(target))} has no host name for TLS to verify the endpoints' certificates against`;
      return tls
        ? { path: 'tls.serverName', message: `is missing: ${missing}; name it, as in serverName: 'orders.internal'` }
        : {
            path: `channelOptions["${OVERRIDE}"]`,
            message: `is missing: ${missing}; name it, as in { '${OVERRIDE}': 'orders.internal' }`,
          };
    });
}

/** The name that TLS verifies at the endpoints of each target; undefined if grpc-js knows the right one. */
export function targetNamesOf(
  targets: readonly string[],
  tls: TlsOptions | undefined,
  channelOptions: ChannelOptions = {},
): TargetNames | undefined {
  if (channelOptions[OVERRIDE]) return undefined;
  const names = tls?.serverName;
  if (names !== undefined)
    return new TargetNames(targets.map((_, i) => (typeof names === 'string' ? names : names[i])));
  return targets.length > 1 ? new TargetNames(targets.map(nameOf)) : undefined;
}

/** Without the port, as grpc-js takes it. */
function nameOf(target: string): string {
  const host = hostOf(target) ?? NO_NAME;
  return splitHostPort(host)?.host ?? host;
}

/**
 * Protects channels that are not checked in advance: TLS fails, and its error names the cause. No effect without TLS.
 */
export function tlsNameAttribute(target: string, channelOptions: ChannelOptions): ChannelOptions {
  return channelOptions[OVERRIDE] || hostOf(target) !== undefined ? {} : { [OVERRIDE]: NO_NAME };
}

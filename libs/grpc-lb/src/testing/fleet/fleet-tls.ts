import { createSecureContext, type SecureContext } from 'node:tls';
import type { Fault } from '../../core/errors.js';
import { fields, shown } from '../../core/options/validation.js';
import type { TlsOptions } from '../../tls/options.js';
import { TestAuthority } from '../certificates/test-authority.js';

/** Certificates of the backends, as PEM. */
export interface FleetTlsOptions {
  /** The certificate of the backends, for `localhost`; then those of the CAs between it and the root. */
  readonly cert: string;
  /** The private key of `cert`, without a passphrase. */
  readonly key: string;
  /**
   * What clients trust: the `ca` of `fleet.tls`.
   *
   * @default `cert`
   */
  readonly ca?: string;
  /**
   * The CAs of the clients' certificates. With them, a client without a certificate of theirs is refused.
   *
   * @default clients need no certificate
   */
  readonly clientCa?: string;
}

/** TLS of a fleet: what its servers present, and what its clients need. */
export interface FleetTls {
  readonly context: SecureContext;
  /** Whether clients need a certificate. */
  readonly mutual: boolean;
  readonly client: TlsOptions;
}

/** The name that clients verify: the target of a fleet has no host. */
const NAME = 'localhost';

/** The TLS of the option `tls`; faults are added to `faults`. */
export function fleetTls(option: unknown, faults: Fault[]): FleetTls | undefined {
  if (option === undefined || option === false) return undefined;
  if (option === true || option === 'mutual') return generated(option === 'mutual');
  const before = faults.length;
  if (typeof option === 'object' && option !== null) checkTls('tls', option, faults);
  else faults.push({ path: 'tls', message: `is ${shown(option)}; use true, "mutual", or { cert, key }` });
  return faults.length > before ? undefined : given(option as FleetTlsOptions, faults);
}

function generated(mutual: boolean): FleetTls {
  const authority = new TestAuthority();
  const { cert: ca } = authority;
  const context = createSecureContext({ ...authority.issue(), ...(mutual && { ca }) });
  return {
    context,
    mutual,
    client: { ca, serverName: NAME, ...(mutual && authority.issue({ names: ['test-client'] })) },
  };
}

function given({ cert, key, ca = cert, clientCa }: FleetTlsOptions, faults: Fault[]): FleetTls | undefined {
  try {
    const context = createSecureContext({ cert, key, ...(clientCa !== undefined && { ca: clientCa }) });
    return { context, mutual: clientCa !== undefined, client: { ca, serverName: NAME } };
  } catch (error) {
    // Of OpenSSL, such as "key values mismatch"; it quotes nothing.
    faults.push({
      path: 'tls',
      message: `cannot be used: ${(error as Error).message}; use PEM of a certificate and its key`,
    });
    return undefined;
  }
}

/** A value may be a key, so it is never shown. */
const pem = (path: string, value: unknown, faults: Fault[]): void => {
  if (typeof value !== 'string' || !value.includes('-----BEGIN '))
    faults.push({ path, message: 'is not PEM; use a text with -----BEGIN ...-----' });
};

const checkFields = fields({ cert: pem, key: pem, ca: pem, clientCa: pem });

function checkTls(path: string, value: object, faults: Fault[]): void {
  checkFields(path, value, faults);
  for (const name of ['cert', 'key'])
    if (!(name in value)) faults.push({ path: `${path}.${name}`, message: 'is missing; set it, or use tls: true' });
}

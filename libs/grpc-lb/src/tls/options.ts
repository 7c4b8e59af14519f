import { isIP } from 'node:net';
import type { Fault } from '../core/errors.js';
import { type Check, fields, integer, listOf, oneOf, shown } from '../core/options/validation.js';
import type { TlsVersion } from './loaded-tls.js';
import { isPem } from './pem-files.js';
import type { CertificateProvider } from './provided-pem.js';
import { spiffeIdCheck } from './spiffe.js';

/** Certificates of one side, and how they rotate. */
export interface CertificateOptions {
  /**
   * The CAs to trust: the path of a PEM file, PEM text or bytes, or a list of these. Old and new CAs may be in use at
   * once. Files are watched.
   *
   * @default the CAs of Node, or the file in GRPC_DEFAULT_SSL_ROOTS_FILE_PATH, as in grpc-js
   */
  readonly ca?: string | Buffer | readonly (string | Buffer)[];
  /**
   * The own certificate, then those of the CAs between it and the root: the path of a PEM file, or PEM text or bytes.
   * Set together with `key`.
   *
   * @default none
   */
  readonly cert?: string | Buffer;
  /** The private key of `cert`, without a passphrase: the path of a PEM file, or PEM text or bytes. Required with `cert`. */
  readonly key?: string | Buffer;
  /**
   * Returns certificates, instead of `cert` and `key`, and instead of `ca` if it returns some.
   *
   * @default none
   */
  readonly provider?: CertificateProvider;
  /**
   * Milliseconds between two looks at the files, which also finds changes that the system does not report, and between
   * two calls of `provider`, ± 20 %, 1000 to 86400000.
   *
   * @default 30000
   */
  readonly refreshInterval?: number;
  /**
   * Milliseconds before the end of the own certificate from which on Terminus reports `degraded`, and the log warns, 0
   * to 31536000000.
   *
   * @default a fifth of its lifetime, 7 days at most
   */
  readonly expiryWarning?: number;
  /**
   * The lowest version of TLS: `TLSv1.2` or `TLSv1.3`.
   *
   * @default `TLSv1.2`
   */
  readonly minVersion?: TlsVersion;
  /**
   * The SPIFFE ids that the other side may have: exact ones, `spiffe://example.org/ns/shop/sa/orders`, or all below a
   * path, `spiffe://example.org/ns/shop/*`. A client then verifies the id instead of the host name.
   *
   * @default not checked
   */
  readonly spiffeIds?: readonly string[];
}

/** TLS of a client. Every connection uses it; there is no way back to plaintext. */
export interface TlsOptions extends CertificateOptions {
  /**
   * The name that the certificates of the endpoints must contain. With several targets, a list of as many names.
   *
   * @default the host of each target
   */
  readonly serverName?: string | readonly string[];
  /**
   * Milliseconds within which connections that were made with earlier certificates are replaced, at random times, 0 to
   * 86400000. The new connection opens first, and the old one closes when its calls have ended.
   *
   * @default 60000
   */
  readonly replaceWithin?: number;
}

/** Which certificates a server expects of its clients. `optional`: verified if there is one. */
export type ClientCertificates = 'none' | 'optional' | 'require';

/** TLS of a server. */
export interface ServerTlsOptions extends CertificateOptions {
  /**
   * Whether clients must have a certificate of one of the CAs in `ca`. `optional`: a client without one, or with one
   * that is not valid, connects too.
   *
   * @default `require` if `ca` is set, else `none`
   */
  readonly clientCertificates?: ClientCertificates;
}

/** The longest delay of a timer is shorter. */
const YEAR = 31_536_000_000;
const DAY = 86_400_000;

/** A value may be a key, so it is never shown. */
const pem: Check = (path, value, faults) => {
  if (value instanceof Uint8Array && value.length > 0) return;
  if (typeof value !== 'string') {
    faults.push({ path, message: `is ${kindOf(value)}; use the path of a PEM file, or PEM text or bytes` });
  } else if (!isPem(value) && (value.trim() === '' || value.length > 4096 || /[\r\n\0]/.test(value))) {
    const found = value.trim() === '' ? 'is empty' : 'is neither a path nor PEM text';
    faults.push({ path, message: `${found}; use the path of a PEM file, or text with -----BEGIN ...-----` });
  }
};

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value instanceof Uint8Array) return 'empty';
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

const ca: Check = (path, value, faults) => {
  if (!Array.isArray(value)) pem(path, value, faults);
  else if (value.length === 0)
    faults.push({ path, message: 'is an empty list; name at least one CA, or leave it out' });
  else value.forEach((item, i) => pem(`${path}[${i}]`, item, faults));
};

const provider: Check = (path, value, faults) => {
  if (typeof value !== 'function')
    faults.push({
      path,
      message: `is ${kindOf(value)}; use a function that returns { cert, key } or { ca, cert, key }`,
    });
};

/** What a certificate can name: a host name or an IP address, without port, brackets or wildcard. */
const name: Check = (path, value, faults) => {
  if (typeof value === 'string' && (/^[\w.-]{1,253}$/.test(value) || isIP(value) !== 0)) return;
  faults.push({ path, message: `is ${shown(value)}; use a host name or an IP address, as in orders.internal` });
};

const serverName: Check = (path, value, faults) => {
  if (Array.isArray(value)) value.forEach((item, i) => name(`${path}[${i}]`, item, faults));
  else name(path, value, faults);
};

const spiffeIds: Check = (path, value, faults) => {
  listOf(spiffeIdCheck, 'a list of SPIFFE ids')(path, value, faults);
  if (Array.isArray(value) && value.length === 0)
    faults.push({
      path,
      message: 'is empty, so that no peer would be accepted; list the allowed ids, or leave it out',
    });
};

const common = {
  ca,
  cert: pem,
  key: pem,
  provider,
  refreshInterval: integer({ min: 1000, max: DAY, unit: 'milliseconds' }),
  expiryWarning: integer({ min: 0, max: YEAR, unit: 'milliseconds' }),
  minVersion: oneOf(['TLSv1.2', 'TLSv1.3']),
  spiffeIds,
};

const clientFields = fields({
  ...common,
  serverName,
  replaceWithin: integer({ min: 0, max: DAY, unit: 'milliseconds' }),
});
const serverFields = fields({ ...common, clientCertificates: oneOf(['none', 'optional', 'require']) });

const withPairs =
  (check: Check): Check =>
  (path, value, faults) => {
    const before = faults.length;
    check(path, value, faults);
    if (faults.length === before) faults.push(...pairFaults(path, value as CertificateOptions));
  };

/** A switch is a fair guess: a client needs no options to use TLS. */
const noSwitch =
  (check: Check): Check =>
  (path, value, faults) => {
    if (value === true) faults.push({ path, message: 'is true; use {} for TLS with the CAs of Node' });
    else if (value === false) faults.push({ path, message: 'is false; leave it out for a client without TLS' });
    else check(path, value, faults);
  };

/** Checks everything but what the files contain. */
export const tlsCheck: Check = noSwitch(withPairs(clientFields));
export const serverTlsCheck: Check = withPairs(serverFields);

/** One field of the options of a client, for those that come one by one from the environment. */
export const tlsFieldCheck: Check = clientFields;

function pairFaults(path: string, options: CertificateOptions): Fault[] {
  const { cert, key } = options;
  if (options.provider !== undefined) {
    return (['cert', 'key'] as const)
      .filter((each) => options[each] !== undefined)
      .map((each) => ({ path: `${path}.${each}`, message: 'is set together with provider; remove one of them' }));
  }
  if ((cert === undefined) === (key === undefined)) return [];
  const [missing, given] = cert === undefined ? ['cert', 'key'] : ['key', 'cert'];
  return [{ path: `${path}.${missing}`, message: `is missing; set it together with ${given}, or remove that` }];
}

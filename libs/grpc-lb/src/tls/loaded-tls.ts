import type { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { printable } from '../core/printable.js';
import { dateText, type Validity } from './expiry.js';
import type { PemTexts } from './material.js';
import { certificatesOf, privateKeyOf, reasonOf, TlsFault } from './pem.js';
import { subjectAltNames } from './subject-alt-names.js';

/** The own certificate, as far as it may be shown. */
export interface OwnCertificate extends Validity {
  /** Its first name, or its subject. */
  readonly name: string;
  /** SHA-256 in hexadecimal, to compare with what `openssl x509 -fingerprint -sha256` prints. */
  readonly fingerprint: string;
}

/** Certificates that passed every check. */
export interface LoadedTls {
  readonly texts: PemTexts;
  /** For `createSecureContext`, and for a server. */
  readonly options: SecureContextOptions;
  /** Undefined if this side has none. */
  readonly own: OwnCertificate | undefined;
  /** The CAs to trust; undefined for those of the system. */
  readonly ca: { readonly count: number; readonly until: number } | undefined;
}

/** The lowest version that may be used, `TLSv1.2` or `TLSv1.3`. */
export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

export interface Requirements {
  readonly minVersion: TlsVersion;
  /** A server must have a certificate of its own. */
  readonly needsOwn: boolean;
  /** A server that verifies clients must be told by which CAs: those of the system would be everyone. */
  readonly needsCa: boolean;
}

/**
 * Checks that the certificates can be used now, and that the key belongs to them.
 *
 * @param now In milliseconds since the epoch.
 * @throws TlsFault that says what is wrong and what to do; it never quotes a key.
 */
export function loadTls(texts: PemTexts, { minVersion, needsOwn, needsCa }: Requirements, now: number): LoadedTls {
  const { ca, cert, key } = texts;
  if (cert !== undefined && key === undefined)
    throw new TlsFault('key', 'is missing; set it together with tls.cert, or remove that');
  if (cert === undefined && key !== undefined)
    throw new TlsFault('cert', 'is missing; set it together with tls.key, or remove that');
  if (needsOwn && cert === undefined)
    throw new TlsFault('cert', 'is missing; a server needs a certificate and its key');
  if (needsCa && ca === undefined)
    throw new TlsFault('ca', 'is missing; name the CA that issues the certificates of clients');
  const trusted = ca === undefined ? undefined : trustedOf(ca, now);
  const own = cert === undefined ? undefined : ownOf(cert, key!, now);
  const options: SecureContextOptions = {
    minVersion,
    // As grpc-js's own credentials do.
    ...(process.env['GRPC_SSL_CIPHER_SUITES'] && { ciphers: process.env['GRPC_SSL_CIPHER_SUITES'] }),
    ...(trusted && { ca: trusted.usable }),
    ...(cert !== undefined && { cert, key }),
  };
  try {
    createSecureContext(options);
  } catch (error) {
    // An unknown cipher is reported here too.
    const ciphers = options.ciphers === undefined ? '' : '; the variable GRPC_SSL_CIPHER_SUITES may be the cause';
    throw new TlsFault(own ? 'cert' : 'ca', `is rejected by OpenSSL: ${reasonOf(error)}${ciphers}`);
  }
  return { texts, options, own, ca: trusted && { count: trusted.usable.length, until: trusted.until } };
}

/** A bundle may contain CAs that have expired, as long as there are others: it has old and new ones while they change. */
function trustedOf(pem: string, now: number): { usable: string[]; until: number } {
  const valid = certificatesOf('ca', pem).map((certificate) => ({ certificate, ...validityOf('ca', certificate) }));
  const usable = valid.filter(({ until }) => until > now);
  const until = Math.max(...valid.map((each) => each.until));
  if (usable.length === 0)
    throw new TlsFault(
      'ca',
      `${valid.length === 1 ? 'has' : 'has only CAs that have'} expired at ${dateText(until)}; use the CA that is in force`,
    );
  return { usable: usable.map(({ certificate }) => certificate.toString()), until };
}

function ownOf(pem: string, keyPem: string, now: number): OwnCertificate {
  const chain = certificatesOf('cert', pem);
  const leaf = chain[0]!;
  const key = privateKeyOf(keyPem);
  if (!leaf.checkPrivateKey(key)) {
    const other = chain.findIndex((each) => each.checkPrivateKey(key));
    throw other > 0
      ? new TlsFault(
          'cert',
          `has the certificate of the key at place ${other + 1}; put it first, then those of the CAs`,
        )
      : new TlsFault(
          'key',
          'does not belong to the certificate; replace both at once, as a rename of their directory does',
        );
  }
  const validity = chain.map((each) => validityOf('cert', each));
  const from = Math.max(...validity.map((each) => each.from));
  const until = Math.min(...validity.map((each) => each.until));
  if (until <= now)
    throw new TlsFault('cert', `expired at ${dateText(until)}; renew it, or check the clock of this machine`);
  if (from > now) throw new TlsFault('cert', `is not valid before ${dateText(from)}; check the clock of this machine`);
  return { name: nameOf(leaf), fingerprint: leaf.fingerprint256.replaceAll(':', '').toLowerCase(), from, until };
}

function validityOf(part: 'ca' | 'cert', { validFrom, validTo }: X509Certificate): Validity {
  const [from, until] = [Date.parse(validFrom), Date.parse(validTo)];
  if (Number.isFinite(from) && Number.isFinite(until)) return { from, until };
  throw new TlsFault(
    part,
    `has a certificate whose dates cannot be read: ${printable(`${validFrom}, ${validTo}`, 100)}`,
  );
}

function nameOf({ subjectAltName, subject }: X509Certificate): string {
  const names = subjectAltNames(subjectAltName);
  const [name] = [...names.filter(({ kind }) => kind === 'URI'), ...names];
  return printable(name?.value ?? (subject || 'without a name'), 200);
}

import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { GrpcLbArgumentError } from '../../core/errors.js';
import { shown } from '../../core/options/validation.js';
import { altNames } from './alt-names.js';
import { bits, integer, oid, sequence, tagged, time } from './der.js';

/** A certificate with its key, as PEM. */
export interface IssuedCertificate {
  /** The certificate. */
  readonly cert: string;
  /** Its private key, without a passphrase. */
  readonly key: string;
}

/** What a certificate says. */
export interface CertificateRequest {
  /**
   * Host names, addresses and URIs such as `spiffe://example.org/orders`.
   *
   * @default ['localhost', '127.0.0.1', '::1']
   */
  readonly names?: readonly string[];
  /**
   * From when on it is valid.
   *
   * @default a day ago
   */
  readonly from?: Date;
  /**
   * Until when it is valid; may be in the past.
   *
   * @default in 30 days
   */
  readonly until?: Date;
}

const DAY_MS = 86_400_000;
const LOCAL = ['localhost', '127.0.0.1', '::1'];
const OCTET_STRING = 0x04;
const BOOLEAN_TRUE = Buffer.from([0x01, 0x01, 0xff]);
const ECDSA_WITH_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));

/** Extensions of RFC 5280, section 4.2.1. */
const SUBJECT_KEY_IDENTIFIER = '2.5.29.14';
const KEY_USAGE = '2.5.29.15';
const SUBJECT_ALT_NAME = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
const AUTHORITY_KEY_IDENTIFIER = '2.5.29.35';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const SERVER_AND_CLIENT = sequence(oid('1.3.6.1.5.5.7.3.1'), oid('1.3.6.1.5.5.7.3.2'));
/** keyCertSign and cRLSign, bits 5 and 6. */
const SIGNS_CERTIFICATES = bits(Buffer.from([0x06]), 1);
/** digitalSignature, bit 0. */
const SIGNS = bits(Buffer.from([0x80]), 7);

/**
 * A certificate authority for tests, in this process: it needs no openssl and no package. Its key, which it never shows,
 * is a new one each time, so nothing that it issues is of use outside the process.
 *
 * @example
 *   const authority = new TestAuthority();
 *   const expired = authority.issue({ until: new Date(Date.now() - 1000) });
 *   const fleet = await createFleet({ client: OrdersClient, tls: { ca: authority.cert, ...expired } });
 */
export class TestAuthority {
  /** Its own certificate, as PEM: the `ca` of those who trust it. */
  readonly cert: string;
  readonly #key: KeyObject;
  readonly #name: Buffer;
  readonly #keyId: Buffer;

  /** @param name What its certificate is called. */
  constructor(name = 'test CA') {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    this.#key = privateKey;
    this.#name = nameOf(name);
    this.#keyId = keyId(spki);
    this.cert = this.#sign(this.#name, spki, validity('TestAuthority', {}, 365), [
      extension(BASIC_CONSTRAINTS, sequence(BOOLEAN_TRUE), true),
      extension(KEY_USAGE, SIGNS_CERTIFICATES, true),
    ]);
  }

  /**
   * Issues a certificate, for a server or a client.
   *
   * @throws GrpcLbArgumentError if a name is neither a host name nor an address nor a URI, or a date is not valid.
   */
  issue({ names = LOCAL, ...dates }: CertificateRequest = {}): IssuedCertificate {
    const alt = altNames(names);
    const dated = validity('issue', dates, 30);
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    const cert = this.#sign(nameOf('test'), spki, dated, [
      extension(BASIC_CONSTRAINTS, sequence(), true),
      extension(KEY_USAGE, SIGNS, true),
      extension(EXTENDED_KEY_USAGE, SERVER_AND_CLIENT),
      extension(SUBJECT_ALT_NAME, alt),
    ]);
    return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };
  }

  /** RFC 5280, section 4.1. */
  #sign(subject: Buffer, spki: Buffer, dated: Buffer, extensions: readonly Buffer[]): string {
    // "CAs MUST force the serialNumber to be a non-negative integer"; it must be unique.
    const serial = randomBytes(16);
    serial[0] = (serial[0]! & 0x3f) | 0x40;
    const ids = [
      extension(SUBJECT_KEY_IDENTIFIER, tagged(OCTET_STRING, keyId(spki))),
      extension(AUTHORITY_KEY_IDENTIFIER, sequence(tagged(0x80, this.#keyId))),
    ];
    const content = sequence(
      tagged(0xa0, integer(2)), // Version 3.
      integer(...serial),
      ECDSA_WITH_SHA256,
      this.#name,
      dated,
      subject,
      spki,
      tagged(0xa3, sequence(...extensions, ...ids)),
    );
    const certificate = sequence(content, ECDSA_WITH_SHA256, bits(sign('sha256', content, this.#key)));
    const lines = certificate.toString('base64').match(/.{1,64}/g)!;
    return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
  }
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [BOOLEAN_TRUE] : []), tagged(OCTET_STRING, value));
}

/** With one common name. */
function nameOf(commonName: string): Buffer {
  return sequence(tagged(0x31, sequence(oid('2.5.4.3'), tagged(0x0c, Buffer.from(commonName)))));
}

/** Any text that is the same for the same key; here a hash of all that says which key it is. */
function keyId(spki: Buffer): Buffer {
  return createHash('sha256').update(spki).digest().subarray(0, 20);
}

function validity(subject: string, dates: Omit<CertificateRequest, 'names'>, days: number): Buffer {
  const { from = new Date(Date.now() - DAY_MS), until = new Date(Date.now() + days * DAY_MS) } = dates;
  for (const [name, date] of Object.entries({ from, until })) {
    if (!(date instanceof Date) || !(date.getTime() >= 0) || date.getUTCFullYear() > 9999)
      throw new GrpcLbArgumentError(`${subject}: ${name} is ${shown(date)}; use a Date from 1970 on`);
  }
  return sequence(time(from), time(until));
}

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { printable } from '../core/printable.js';

/** Which of the three texts a fault is about; `provider` if the function that returns them failed. */
export type TlsPart = 'ca' | 'cert' | 'key' | 'provider';

/** Certificates that cannot be used. The message continues a sentence that begins with the name of the option. */
export class TlsFault extends Error {
  constructor(
    readonly part: TlsPart,
    message: string,
  ) {
    super(message);
    this.name = 'TlsFault';
  }
}

/** More would be a mistake: the roots of all public CAs are fewer than 200. */
const MAX_CERTIFICATES = 1000;

const BEGIN = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/g;
const BLOCK = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[\s\S]*?-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;

/** @throws TlsFault unless the text has at least one certificate, and all of them can be read. */
export function certificatesOf(part: 'ca' | 'cert', pem: string): X509Certificate[] {
  if (pem.trim() === '') throw new TlsFault(part, 'is empty; it may be half written');
  assertLineBreaks(part, pem);
  const begun = pem.match(BEGIN)?.length ?? 0;
  const blocks = pem.match(BLOCK) ?? [];
  if (begun === 0)
    throw new TlsFault(part, 'contains no certificate; use PEM, with lines such as -----BEGIN CERTIFICATE-----');
  if (blocks.length < begun) throw new TlsFault(part, 'ends within a certificate; it may be half written');
  if (blocks.length > MAX_CERTIFICATES)
    throw new TlsFault(part, `has ${blocks.length} certificates; use at most ${MAX_CERTIFICATES}`);
  return blocks.map((block, i) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      throw new TlsFault(part, `has a certificate (number ${i + 1}) that cannot be read: ${reasonOf(error)}`);
    }
  });
}

/** As in files of variables for Docker, and in JSON that was not parsed. */
function assertLineBreaks(part: TlsPart, pem: string): void {
  if (/-----BEGIN [A-Z0-9 ]+-----\\[nr]/.test(pem))
    throw new TlsFault(part, 'has "\\n" where line breaks belong; replace them, or name a file');
}

/** @throws TlsFault unless the text is a private key without a passphrase. It never quotes the text. */
export function privateKeyOf(pem: string): KeyObject {
  if (pem.trim() === '') throw new TlsFault('key', 'is empty; it may be half written');
  assertLineBreaks('key', pem);
  if (!pem.includes('-----BEGIN'))
    throw new TlsFault('key', 'contains no key; use PEM, with lines such as -----BEGIN PRIVATE KEY-----');
  if (/-----BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(pem))
    throw new TlsFault(
      'key',
      'is encrypted; use a key without a passphrase, in a file that only this process may read',
    );
  try {
    return createPrivateKey(pem);
  } catch {
    // OpenSSL's reason would be of no help: `unsupported`, or a line of its source.
    throw new TlsFault('key', 'cannot be read; it may be half written, or not a private key');
  }
}

/** The words of OpenSSL without the numbers around them: `error:0680008E:asn1 encoding routines::not enough data`. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return printable(text.replace(/^error:[0-9A-F]+:/, ''), 200);
}

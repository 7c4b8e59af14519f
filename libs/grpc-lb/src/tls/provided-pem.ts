import type { Clock } from '../core/clock.js';
import { isObject } from '../core/options/validation.js';
import { printable, printableError } from '../core/printable.js';
import type { Look, PemReader, PemTexts } from './material.js';
import { type PemSource } from './pem-files.js';
import { TlsFault } from './pem.js';

/** What a provider returns: PEM, as text or as its bytes. */
export interface ProvidedCertificates {
  /**
   * Certificates of the CAs to trust, old and new ones while they change.
   *
   * @default `ca` of the options
   */
  readonly ca?: string | Buffer | readonly (string | Buffer)[];
  /** The own certificate, then those of the CAs between it and the root. */
  readonly cert?: string | Buffer;
  /** The private key of `cert`, without a passphrase. */
  readonly key?: string | Buffer;
}

/**
 * Returns the certificates that are in force, such as those of a secret store. It is called at the start and then each
 * `refreshInterval`; while it fails, the last ones stay in use.
 *
 * @param signal Aborts when the answer is no longer awaited, after 10 s or when the client or server closes.
 */
export type CertificateProvider = (signal: AbortSignal) => ProvidedCertificates | Promise<ProvidedCertificates>;

const TIMEOUT_MS = 10_000;
const GIVEN_UP = 'was given up, because its user closes';

/** Asks a user's function for certificates, and waits for its answer within bounds. */
export class ProvidedPem implements PemReader {
  #asked: AbortController | undefined;
  /** What was returned last; undefined if that failed. */
  #provided: PemTexts | undefined;
  #closed = false;

  /** @param ca Reads the CAs of the options, for a provider that returns none. */
  constructor(
    private readonly provider: CertificateProvider,
    private readonly ca: PemReader,
    private readonly clock: Clock,
  ) {}

  /** A file of the CAs, or another one beside it, is no reason to issue another certificate. */
  async read(what: Look = 'all'): Promise<PemTexts> {
    const { ca } = await this.ca.read(what);
    if (what === 'all') this.#provided = undefined;
    const provided = (this.#provided ??= textsOf(await this.#ask()));
    return { ...provided, ca: provided.ca ?? ca };
  }

  watch(changed: () => void): Promise<Error | undefined> {
    return this.ca.watch(changed);
  }

  close(): void {
    this.#closed = true;
    this.#asked?.abort();
    this.ca.close();
  }

  #ask(): Promise<unknown> {
    // Closed while the CAs were read.
    if (this.#closed) return Promise.reject(new TlsFault('provider', GIVEN_UP));
    const controller = (this.#asked = new AbortController());
    return new Promise((resolve, reject) => {
      const give = (message: string): void => reject(new TlsFault('provider', message));
      const cancel = this.clock.after(TIMEOUT_MS, () => {
        give(`has not answered within ${TIMEOUT_MS} ms; check what it waits for`);
        controller.abort();
      });
      const abandoned = (): void => {
        cancel();
        give(GIVEN_UP);
      };
      controller.signal.addEventListener('abort', abandoned, { once: true });
      const answer = new Promise<unknown>((done) => done(this.provider(controller.signal)));
      void answer.then(resolve, (error: unknown) => give(`failed: ${withoutPem(error)}`)).finally(cancel);
    });
  }
}

/** A store's client may quote the answer that it could not parse, and with it a key. */
function withoutPem(error: unknown): string {
  const text = printableError(error);
  const begin = text.indexOf('-----BEGIN');
  return printable(begin < 0 ? text : `${text.slice(0, begin)}(PEM, not shown)`, 200);
}

function textsOf(answer: unknown): PemTexts {
  if (!isObject(answer))
    throw new TlsFault('provider', 'returned no object; return { cert, key } or { ca, cert, key }');
  const { ca, cert, key } = answer as Record<string, PemSource | undefined>;
  const texts = { ca: textOf('ca', ca), cert: textOf('cert', cert), key: textOf('key', key) };
  if (texts.ca === undefined && texts.cert === undefined && texts.key === undefined)
    throw new TlsFault('provider', 'returned neither ca nor cert and key; return { cert, key } or { ca, cert, key }');
  return texts;
}

function textOf(part: 'ca' | 'cert' | 'key', value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  const items: unknown[] = part === 'ca' ? [value].flat() : [value];
  return items
    .map((item) => {
      if (typeof item === 'string' || item instanceof Uint8Array) return Buffer.from(item as string).toString('utf8');
      throw new TlsFault('provider', `returned a ${part} that is neither text nor bytes; return PEM`);
    })
    .join('\n');
}

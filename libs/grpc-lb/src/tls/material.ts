/** Certificates and a key as PEM text. */
export interface PemTexts {
  /** The certificates of the CAs to trust; undefined for those of the system. */
  readonly ca: string | undefined;
  /** The own certificate, then those of the CAs between it and the root. */
  readonly cert: string | undefined;
  /** The private key of `cert`. */
  readonly key: string | undefined;
}

export function sameTexts(one: PemTexts, other: PemTexts | undefined): boolean {
  return one.ca === other?.ca && one.cert === other?.cert && one.key === other?.key;
}

/** What may have changed: `files`, or also what a provider would return. */
export type Look = 'files' | 'all';

/** Where the texts come from. */
export interface PemReader {
  /**
   * Reads all of them as they belong together.
   *
   * @param what `files`: only files may have changed.
   * @throws TlsFault
   */
  read(what: Look): Promise<PemTexts>;
  /** The same at once, if that is possible. @throws TlsFault */
  readNow?(): PemTexts;
  /** Reports changes, as far as that is possible; may be called repeatedly. Returns the error, if any. */
  watch(changed: () => void): Promise<Error | undefined>;
  close(): void;
}

import { constants, readFileSync, type Stats, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DirectoryWatch } from '../discovery/file/directory-watch.js';
import { type PemReader, type PemTexts, sameTexts } from './material.js';
import { TlsFault } from './pem.js';

/** Files of certificates are small; a larger one is a mistake. */
const MAX_BYTES = 1_048_576;
/** How often files that change while they are read are read again at once. */
const READS = 4;

const PARTS = ['ca', 'cert', 'key'] as const;
type Part = (typeof PARTS)[number];

/** PEM text itself, a path, or several of them for CAs. */
export type PemSource = string | Buffer | readonly (string | Buffer)[];

export type PemSources = { readonly [P in Part]: PemSource | undefined };

/** Whether a string is PEM text, as opposed to the path of a file. */
export function isPem(text: string): boolean {
  return text.includes('-----BEGIN');
}

/** Reads certificates and keys from files; what is given as text stays as it is. */
export class PemFiles implements PemReader {
  readonly #watches: readonly DirectoryWatch[];

  constructor(private readonly sources: PemSources) {
    const paths = new Set(PARTS.flatMap((part) => pathsOf(sources[part])));
    this.#watches = [...paths].map((path) => new DirectoryWatch(resolve(path)));
  }

  /**
   * Reads until two reads in a row agree: of two files that are replaced one after the other, as the link `..data` of
   * Kubernetes does with a Secret, one read may get the old certificate and the new key.
   */
  async read(): Promise<PemTexts> {
    let before: PemTexts | undefined;
    for (let i = 0; i < READS; i++) {
      const texts = {
        ca: await textOf('ca', this.sources.ca),
        cert: await textOf('cert', this.sources.cert),
        key: await textOf('key', this.sources.key),
      };
      if (this.#watches.length === 0 || sameTexts(texts, before)) return texts;
      before = texts;
    }
    throw new TlsFault(
      'cert',
      'and the other files keep changing while they are read; replace them at once, by a rename',
    );
  }

  async watch(changed: () => void): Promise<Error | undefined> {
    const failures = await Promise.all(this.#watches.map((each) => each.follow(changed)));
    return failures.find((failure) => failure !== undefined);
  }

  close(): void {
    for (const each of this.#watches) each.close();
  }
}

/** The same, once and at once, when options are checked. @throws TlsFault */
export function readPemFiles(sources: PemSources): PemTexts {
  const text = (part: Part): string | undefined =>
    joined(listOf(sources[part])?.map((each) => (isText(each) ? String(each) : readNow(part, String(each)))));
  return { ca: text('ca'), cert: text('cert'), key: text('key') };
}

async function textOf(part: Part, source: PemSource | undefined): Promise<string | undefined> {
  const texts: string[] = [];
  for (const each of listOf(source) ?? [])
    texts.push(isText(each) ? String(each) : await readLater(part, String(each)));
  return source === undefined ? undefined : joined(texts);
}

function listOf(source: PemSource | undefined): readonly (string | Buffer)[] | undefined {
  return source === undefined ? undefined : [source as string | Buffer].flat();
}

function pathsOf(source: PemSource | undefined): string[] {
  return (listOf(source) ?? []).filter((each): each is string => !isText(each));
}

function isText(source: string | Buffer): boolean {
  return typeof source !== 'string' || isPem(source);
}

function joined(texts: readonly string[] | undefined): string | undefined {
  return texts?.join('\n');
}

function readNow(part: Part, path: string): string {
  try {
    assertSmallFile(part, path, statSync(path));
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw faultOf(part, path, error);
  }
}

async function readLater(part: Part, path: string): Promise<string> {
  try {
    // Opening a pipe must not wait for a writer.
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      assertSmallFile(part, path, await file.stat());
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    throw faultOf(part, path, error);
  }
}

function assertSmallFile(part: Part, path: string, found: Stats): void {
  if (found.isDirectory()) throw new TlsFault(part, `${named(path)} cannot be read: EISDIR; ${REMEDIES['EISDIR']}`);
  if (!found.isFile()) throw new TlsFault(part, `${named(path)} is not a regular file; name a file in PEM`);
  if (found.size > MAX_BYTES)
    throw new TlsFault(part, `${named(path)} is larger than ${MAX_BYTES} bytes; name a file with certificates`);
}

function faultOf(part: Part, path: string, error: unknown): TlsFault {
  if (error instanceof TlsFault) return error;
  // Node's message contains the path, which may be a key that a user has put into the wrong place.
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
  const remedy = REMEDIES[code] ?? 'check the file and its directory';
  return new TlsFault(part, `${named(path)} cannot be read: ${code}; ${remedy}`);
}

const REMEDIES: Readonly<Record<string, string>> = {
  ENOENT: 'check the path, and that the file is mounted',
  EACCES: 'let the user of this process read it',
  EISDIR: 'name a file in that directory',
};

/** A path for a message. A key without its first line looks like a path, so only what certainly is one is shown. */
export function named(path: string): string {
  return /^(?:\.{0,2}\/|[A-Za-z]:\\)/.test(path) && !/[\r\n]/.test(path) && path.length <= 300
    ? path
    : 'names a file that';
}

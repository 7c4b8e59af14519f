import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { resolve } from 'node:path';
import { DirectoryWatch } from '../discovery/file/directory-watch.js';
import { type PemReader, type PemTexts, sameTexts } from './material.js';
import { TlsFault } from './pem.js';

/** Files of certificates are small; a larger one is a mistake. */
const MAX_BYTES = 1_048_576;
/** A certificate, its chain and its key fit. */
const CHUNK = 16_384;
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

/**
 * Reads certificates and keys from files; what is given as text stays as it is.
 *
 * The reads are synchronous: three small files take a fraction of a millisecond, and asynchronous ones dozens of turns
 * of the event loop, which took 15 s in a process that was short of CPU.
 */
export class PemFiles implements PemReader {
  readonly #watches: readonly DirectoryWatch[];

  constructor(private readonly sources: PemSources) {
    const paths = new Set(PARTS.flatMap((part) => pathsOf(sources[part])));
    this.#watches = [...paths].map((path) => new DirectoryWatch(resolve(path)));
  }

  readNow(): PemTexts {
    return readPemFiles(this.sources);
  }

  // eslint-disable-next-line typescript/require-await -- A fault rejects.
  async read(): Promise<PemTexts> {
    return this.readNow();
  }

  async watch(changed: () => void): Promise<Error | undefined> {
    const failures = await Promise.all(this.#watches.map((each) => each.follow(changed)));
    return failures.find((failure) => failure !== undefined);
  }

  close(): void {
    for (const each of this.#watches) each.close();
  }
}

/**
 * Reads until two reads in a row agree: of two files that are replaced one after the other, as the link `..data` of
 * Kubernetes does with a Secret, one read may get the old certificate and the new key.
 *
 * @throws TlsFault
 */
export function readPemFiles(sources: PemSources): PemTexts {
  let before: PemTexts | undefined;
  for (let i = 0; i < READS; i++) {
    const texts = { ca: textOf('ca', sources), cert: textOf('cert', sources), key: textOf('key', sources) };
    if (sameTexts(texts, before)) return texts;
    before = texts;
  }
  throw new TlsFault(
    'cert',
    'and the other files keep changing while they are read; replace them at once, by a rename',
  );
}

function textOf(part: Part, sources: PemSources): string | undefined {
  return listOf(sources[part])
    ?.map((each) => (isText(each) ? String(each) : fileOf(part, String(each))))
    .join('\n');
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

function fileOf(part: Part, path: string): string {
  let file: number | undefined;
  try {
    // Without O_NONBLOCK, to open a pipe would wait for a writer.
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    assertSmallFile(part, path, fstatSync(file));
    return boundedTextOf(part, path, file);
  } catch (error) {
    throw faultOf(part, path, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Examined and read by one descriptor: what the path leads to, and its length, may change in between. */
function boundedTextOf(part: Part, path: string, file: number): string {
  const chunks: Buffer[] = [];
  for (let length = 0; length <= MAX_BYTES;) {
    const chunk = Buffer.allocUnsafe(CHUNK);
    const read = readSync(file, chunk);
    if (read === 0) return Buffer.concat(chunks).toString('utf8');
    chunks.push(chunk.subarray(0, read));
    length += read;
  }
  throw tooLarge(part, path);
}

function assertSmallFile(part: Part, path: string, found: Stats): void {
  if (found.isDirectory()) throw new TlsFault(part, `${named(path)} cannot be read: EISDIR; ${REMEDIES['EISDIR']}`);
  if (!found.isFile()) throw new TlsFault(part, `${named(path)} is not a regular file; name a file in PEM`);
  if (found.size > MAX_BYTES) throw tooLarge(part, path);
}

function tooLarge(part: Part, path: string): TlsFault {
  return new TlsFault(part, `${named(path)} is larger than ${MAX_BYTES} bytes; name a file with certificates`);
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

/**
 * A path for a message. A key without its first line looks like a path, so only what certainly is one is shown: base64
 * contains no dot, and does not end with one and an extension.
 */
export function named(path: string): string {
  return /^(?:\.{0,2}\/|[A-Za-z]:\\)|\.[A-Za-z0-9]{2,5}$/.test(path) && !/[\r\n]/.test(path) && path.length <= 300
    ? path
    : 'names a file that';
}

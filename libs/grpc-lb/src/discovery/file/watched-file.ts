import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { DirectoryWatch } from './directory-watch.js';

/** The file at a path. */
export interface WatchedFile {
  /** The name of the file in messages. */
  readonly path: string;
  /** Watches everything that may change what the path leads to; may be called repeatedly. Returns the error, if any. */
  watch(changed: () => void): Promise<Error | undefined>;
  /** Identifies the content of the file. Rejects if there is no file. */
  version(): Promise<string>;
  /** The content, with the version before and after reading. Rejects if it is not a file, or larger than `maxSize`. */
  read(maxSize: number): Promise<{ readonly text: string; readonly versions: readonly [string, string] }>;
  /** Stops watching. */
  close(): void;
}

export class NodeFile implements WatchedFile {
  readonly #watch: DirectoryWatch;

  constructor(readonly path: string) {
    this.#watch = new DirectoryWatch(path);
  }

  watch(changed: () => void): Promise<Error | undefined> {
    return this.#watch.follow(changed);
  }

  async version(): Promise<string> {
    return versionOf(await stat(this.path, { bigint: true }));
  }

  async read(maxSize: number): Promise<{ text: string; versions: [string, string] }> {
    // Opening a pipe must not wait for a writer.
    const file = await open(this.path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const before = await file.stat({ bigint: true });
      if (!before.isFile()) throw new Error('is not a regular file');
      const bytes = await readUpTo(file, maxSize, this.path);
      const after = await file.stat({ bigint: true });
      return { text: decode(bytes), versions: [versionOf(before), versionOf(after)] };
    } finally {
      await file.close();
    }
  }

  close(): void {
    this.#watch.close();
  }
}

/**
 * Another file under the name, or other content in the same file: the change time moves even if a copy preserves its
 * date.
 */
function versionOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}

/** Reads one byte more than allowed to detect a larger file, because the reported size may be out of date. */
async function readUpTo(file: FileHandle, maxSize: number, path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let size = 0; ;) {
    const { bytesRead, buffer } = await file.read({ buffer: Buffer.allocUnsafe(Math.min(65_536, maxSize + 1 - size)) });
    if (bytesRead === 0) return Buffer.concat(chunks);
    chunks.push(buffer.subarray(0, bytesRead));
    size += bytesRead;
    if (size > maxSize) {
      const remedy = path.endsWith('.json') ? '' : 'write JSON into a file named *.json, or ';
      throw new Error(`is larger than ${maxSize} bytes; ${remedy}raise maxSize`);
    }
  }
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new Error('is not UTF-8', { cause: error });
  }
}

import { type FSWatcher, watch } from 'node:fs';
import { lstat, readlink, stat } from 'node:fs/promises';
import { join, parse, resolve, sep } from 'node:path';

/** The maximum number of links that Linux follows in one path. */
const MAX_LINKS = 40;

interface Watched {
  readonly watcher: FSWatcher;
  /** Of the directory: another one may have taken its name in the meantime. */
  readonly identity: string;
}

/**
 * Watches the directories that decide what a path leads to: the one that contains the file, and those that contain the
 * links on the way to it. Files themselves cannot be watched: if a file is replaced by a rename, the watch stays on the
 * old one. Kubernetes moves a link (`..data`) when a ConfigMap changes.
 */
export class DirectoryWatch {
  readonly #watched = new Map<string, Watched>();
  #closed = false;

  constructor(private readonly path: string) {}

  /** Determines again which directories those are. Returns the error of one of them, if any. */
  async follow(changed: () => void): Promise<Error | undefined> {
    const wanted = new Map<string, string>();
    for (const directory of await directoriesOf(this.path)) {
      const identity = await identityOf(directory);
      if (identity !== undefined) wanted.set(directory, identity);
    }
    for (const [directory, { identity }] of this.#watched) {
      if (wanted.get(directory) !== identity) this.#forget(directory);
    }
    let failure: Error | undefined;
    for (const [directory, identity] of this.#closed ? [] : wanted) {
      if (this.#watched.has(directory)) continue;
      try {
        this.#watched.set(directory, { watcher: this.#open(directory, changed), identity });
      } catch (error) {
        failure = error as Error;
      }
    }
    return failure;
  }

  close(): void {
    this.#closed = true;
    for (const directory of this.#watched.keys()) this.#forget(directory);
  }

  #open(directory: string, changed: () => void): FSWatcher {
    return watch(directory, { persistent: false }, changed).on('error', () => {
      this.#forget(directory);
      changed();
    });
  }

  #forget(directory: string): void {
    this.#watched.get(directory)?.watcher.close();
    this.#watched.delete(directory);
  }
}

/** Without a file, the directories in which it may appear. */
async function directoriesOf(path: string): Promise<Set<string>> {
  const directories = new Set<string>();
  let { root: at } = parse(path);
  let rest = path.slice(at.length).split(sep);
  for (let links = 0; rest.length > 0;) {
    const next = join(at, rest[0]!);
    const found = await lstat(next).catch(() => undefined);
    if (found === undefined || rest.length === 1) directories.add(at);
    if (found === undefined) break;
    rest = rest.slice(1);
    if (!found.isSymbolicLink()) {
      at = next;
    } else if (++links <= MAX_LINKS) {
      directories.add(at);
      const target = resolve(at, await readlink(next).catch(() => '.'));
      at = parse(target).root;
      rest = [...target.slice(at.length).split(sep).filter(Boolean), ...rest];
    } else break;
  }
  return directories;
}

/** Inode numbers of deleted directories are reused, so the number alone is not enough. */
async function identityOf(directory: string): Promise<string | undefined> {
  try {
    const { dev, ino, birthtimeNs } = await stat(directory, { bigint: true });
    return [dev, ino, birthtimeNs].join(' ');
  } catch {
    return undefined;
  }
}

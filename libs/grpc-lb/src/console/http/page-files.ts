import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { pageDirectory } from '#page-directory';

/** A file of the page as it is served. */
export interface PageFile {
  readonly type: string;
  readonly text: string;
  readonly etag: string;
}

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The files of the page, by name; they are read once, and no other file can be served. */
export class PageFiles {
  readonly #files: ReadonlyMap<string, PageFile>;

  constructor() {
    this.#files = new Map(
      readdirSync(pageDirectory).map((name) => {
        const text = readFileSync(join(pageDirectory, name), 'utf8');
        return [name, pageFile(TYPES[extname(name)] ?? 'text/plain', text)];
      }),
    );
  }

  /** The names of the scripts. */
  get modules(): string[] {
    return [...this.#files.keys()].filter((name) => name.endsWith('.js'));
  }

  get(name: string): PageFile | undefined {
    return this.#files.get(name);
  }
}

export function pageFile(type: string, text: string): PageFile {
  return { type, text, etag: `"${createHash('sha256').update(text).digest('base64url')}"` };
}

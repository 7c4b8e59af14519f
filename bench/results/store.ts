import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Environment, environment } from './environment.js';

/** Raw results of the last run of each bench, from which the page is written. Not committed. */
const DIRECTORY = 'dist/bench-results';

export interface Stored {
  /** As a user types it. */
  readonly command: string;
  readonly date: string;
  readonly environment: Environment;
}

export function saveResults(part: string, name: string, results: object): void {
  mkdirSync(DIRECTORY, { recursive: true });
  const args = process.argv.slice(2).map((arg) => (/[\s;{}"]/.test(arg) ? `'${arg}'` : arg));
  const stored: Stored = {
    command: [`npm run bench ${part}`, ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
    date: new Date().toISOString().slice(0, 10),
    environment: environment(),
  };
  writeFileSync(join(DIRECTORY, `${name}.json`), JSON.stringify({ ...stored, ...results }));
}

/** Undefined where that bench has not run yet. */
export function loadResults<T>(name: string): (T & Stored) | undefined {
  try {
    const text = readFileSync(join(DIRECTORY, `${name}.json`), 'utf8');
    // JSON knows no NaN, which is what quantiles of nothing are.
    return JSON.parse(text, (_key, value: unknown) => (value === null ? NaN : value)) as T & Stored;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

import type { Fault } from '../errors.js';
import { spelledOut } from '../printable.js';

/** Checks one value, and adds its faults to `faults`. */
export type Check = (path: string, value: unknown, faults: Fault[]) => void;

const MAX_SHOWN = 60;

/** A value for a message: short, and on one line. */
export function shown(value: unknown): string {
  const text = spelledOut(textOf(value).slice(0, MAX_SHOWN + 1));
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN - 3)}...` : text;
}

/** Of PEM, which may be a private key. */
const PEM = '-----BEGIN';

/** Hides values that may be secret. */
function withoutSecrets(key: string, value: unknown): unknown {
  const isSecret = key === 'metadata' || key === 'tls' || (typeof value === 'string' && value.includes(PEM));
  return isSecret ? '(hidden)' : value;
}

function textOf(value: unknown): string {
  switch (typeof value) {
    case 'function':
      return 'a function';
    case 'bigint':
      return `${value}n`;
    case 'string':
      return value.includes(PEM) ? '(hidden)' : JSON.stringify(value.slice(0, MAX_SHOWN + 1));
    case 'object':
      try {
        return JSON.stringify(value, withoutSecrets) ?? 'an object';
      } catch {
        // A cycle, a nested bigint, or a toJSON that throws.
        return 'an object';
      }
    default:
      // Not as JSON, which turns NaN and Infinity into null.
      return String(value);
  }
}

/** An object with named fields, as opposed to an array, a function or null. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The fields that are set, for merging: `undefined` counts as absent. */
export function defined<T extends object>(options: T | undefined): Partial<T> {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined)) as Partial<T>;
}

export interface NumberRange {
  readonly min: number;
  readonly max: number;
  /** Appended to the range, as in `milliseconds`. */
  readonly unit?: string;
}

export function integer({ min, max, unit }: NumberRange): Check {
  return (path, value, faults) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return;
    faults.push({
      path,
      message: `is ${shown(value)}; use a whole number from ${min} to ${max}${unit ? ` (${unit})` : ''}`,
    });
  };
}

export function number({ min, max, unit }: NumberRange): Check {
  return (path, value, faults) => {
    if (typeof value === 'number' && value >= min && value <= max) return;
    faults.push({ path, message: `is ${shown(value)}; use a number from ${min} to ${max}${unit ? ` (${unit})` : ''}` });
  };
}

export const boolean: Check = (path, value, faults) => {
  if (typeof value !== 'boolean') faults.push({ path, message: `is ${shown(value)}; use true or false` });
};

export function oneOf(names: readonly string[]): Check {
  return (path, value, faults) => {
    if (typeof value === 'string' && names.includes(value)) return;
    const meant = typeof value === 'string' ? didYouMean(value, names) : '';
    faults.push({ path, message: `is ${shown(value)}; use one of ${names.join(', ')}${meant}` });
  };
}

/**
 * An object of optional fields; an unlisted field is a fault, and `undefined` counts as absent.
 *
 * The path of the outermost object is empty: its fields are shown as users write them, `drain.delay`.
 *
 * @param elsewhere Names that users write here by mistake, with the place where they belong.
 */
export function fields(
  checks: Readonly<Record<string, Check>>,
  elsewhere: Readonly<Record<string, string>> = {},
): Check {
  return (path, value, faults) => {
    if (!isObject(value)) {
      const names = Object.keys(checks).join(', ');
      faults.push({ path: path || 'options', message: `is ${shown(value)}; use an object with ${names}` });
      return;
    }
    for (const [key, field] of Object.entries(value)) {
      const at = path === '' ? key : `${path}.${key}`;
      const check = Object.hasOwn(checks, key) ? checks[key] : undefined;
      const home = Object.hasOwn(elsewhere, key) ? elsewhere[key] : undefined;
      if (home) faults.push({ path: at, message: `is not an option here; move it to ${home}` });
      else if (!check) faults.push(unknownOption(at, key, Object.keys(checks)));
      else if (field !== undefined) check(at, field, faults);
    }
  };
}

/** An array whose items pass one check. */
export function listOf(check: Check, what: string): Check {
  return (path, value, faults) => {
    if (!Array.isArray(value)) faults.push({ path, message: `is ${shown(value)}; use ${what}` });
    else value.forEach((item, i) => check(`${path}[${i}]`, item, faults));
  };
}

/** An object with keys that the user chooses, whose values pass one check. */
export function recordOf(check: Check): Check {
  return (path, value, faults) => {
    if (!isObject(value)) faults.push({ path, message: `is ${shown(value)}; use an object` });
    else for (const [key, item] of Object.entries(value)) check(`${path}.${key}`, item, faults);
  };
}

export function unknownOption(path: string, name: string, known: readonly string[]): Fault {
  const meant = didYouMean(name, known) || `; the options here are ${known.join(', ') || 'none'}`;
  return { path, message: `is not an option${meant}` };
}

/**
 * `; did you mean "x"?` if a text is at most two edits away, or if exactly one name contains it, as maxAttempts
 * contains attempts; otherwise empty.
 */
export function didYouMean(name: unknown, names: readonly string[]): string {
  const best = nearest(name, names);
  return best === undefined ? '' : `; did you mean "${best}"?`;
}

/** The one of several names that is probably meant; undefined if none is near. */
export function nearest(name: unknown, names: readonly string[]): string | undefined {
  if (typeof name !== 'string') return undefined;
  let best: string | undefined;
  let bestDistance = 3;
  for (const candidate of names) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  if (best === undefined) {
    const akin = names.filter((candidate) => isPartOf(name, candidate));
    if (akin.length === 1) best = akin[0];
  }
  return best;
}

/** Shorter parts occur in many names by chance. */
const SHORTEST_PART = 5;

function isPartOf(part: string, name: string): boolean {
  return part.length >= SHORTEST_PART && name.toLowerCase().includes(part.toLowerCase());
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}

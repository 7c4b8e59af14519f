import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { parseBoundedJson } from '../../core/bounded-json.js';
import { checkYamlSize } from './yaml-size.js';
import { didYouMean, isObject, shown } from '../../core/options/validation.js';

/** The raw entries of a file. */
export interface Entries {
  readonly entries: readonly unknown[];
  /** The place of an entry, as in `entry 3 (line 7)`. */
  readonly place: (index: number) => string;
}

/** Aliases are allowed, to write a zone once; a document that multiplies through them is refused. */
const MAX_ALIASES = 1000;

export type Format = 'json' | 'yaml';

/** Default limits in bytes. A YAML token blocks the event loop for 5 to 10 microseconds. */
export const MAX_SIZES: Readonly<Record<Format, number>> = { json: 1024 * 1024, yaml: 40_000 };
/** Bytes for each JSON value or YAML token. Real entries have more; input with less is malicious. */
const MIN_BYTES_A_PART: Readonly<Record<Format, number>> = { json: 4, yaml: 3 };
/** Keys among which one may be a misspelled `endpoints`. */
const MAX_KEYS = 20;

/**
 * Parses a document: a list of entries, or an object with one under `endpoints`. Throws if it is neither, or if it has
 * more parts than a file of `maxSize` bytes may have.
 */
export function readDocument(text: string, format: Format, maxSize = MAX_SIZES[format]): Entries {
  if (text.trim() === '') throw new Error('is empty; for no endpoints write endpoints: []');
  const maxParts = Math.ceil(maxSize / MIN_BYTES_A_PART[format]);
  if (format === 'yaml') return readYaml(text, maxParts);
  return { entries: listIn(parseJson(text, maxParts)), place: (index) => `entry ${index + 1}` };
}

function parseJson(text: string, maxValues: number): unknown {
  try {
    return parseBoundedJson(text, { maxValues });
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof SyntaxError) throw new Error(`is not JSON: ${message}`, { cause: error });
    throw new Error(`has ${message}; write a list of endpoints, or raise maxSize`, { cause: error });
  }
}

function readYaml(text: string, maxTokens: number): Entries {
  checkYamlSize(text, maxTokens);
  const lineCounter = new LineCounter();
  // Both take quadratic time: checking for duplicate keys, and quoting the line of each error. A megabyte would block
  // the event loop for minutes.
  const document = parseDocument(text, {
    lineCounter,
    uniqueKeys: false,
    prettyErrors: false,
    // Not written to the log of the process: invalid entries are reported when they are read.
    logLevel: 'error',
  });
  const [error] = document.errors;
  if (error) {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    throw new Error(`is not YAML: ${error.message} at line ${line}, column ${col}`);
  }
  const { contents } = document;
  const lists = isMap(contents) ? contents.items.filter(({ key }) => isScalar(key) && key.value === 'endpoints') : [];
  if (lists.length > 1) throw new Error('has several keys named endpoints; keep one');
  const entries = listIn(plainContent(document));
  const list: unknown = isMap(contents) ? lists[0]?.value : contents;
  const lineOf = (index: number): number | undefined => {
    const item: unknown = isSeq(list) ? list.items[index] : undefined;
    return isNode(item) && item.range ? lineCounter.linePos(item.range[0]).line : undefined;
  };
  return {
    entries,
    place: (index) => {
      const line = lineOf(index);
      return line === undefined ? `entry ${index + 1}` : `entry ${index + 1} (line ${line})`;
    },
  };
}

/** Aliases are resolved only here, so a document may still turn out to be invalid. */
function plainContent(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    throw new Error(`is not YAML: ${(error as Error).message}`, { cause: error });
  }
}

function listIn(content: unknown): readonly unknown[] {
  if (Array.isArray(content)) return content;
  if (!isObject(content)) throw new Error(`holds ${shown(content)}; write a list, or an object with endpoints`);
  if (Object.hasOwn(content, 'endpoints')) {
    const { endpoints } = content as { endpoints: unknown };
    if (Array.isArray(endpoints)) return endpoints;
    // `endpoints:` with nothing after it may be a half-written file.
    throw new Error(`endpoints is ${shown(endpoints)}; use a list ([] for none)`);
  }
  const meant = Object.keys(content)
    .slice(0, MAX_KEYS)
    .map((key) => didYouMean('endpoints', [key]) && key)
    .find(Boolean);
  throw new Error(`has no endpoints${meant ? `, but ${shown(meant)}` : ''}; write a list, or an object with endpoints`);
}

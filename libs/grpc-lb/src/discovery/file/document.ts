import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { didYouMean, isObject, shown } from '../../core/options/validation.js';

/** The entries of a file, as they stand there. */
export interface Entries {
  readonly entries: readonly unknown[];
  /** Where an entry stands, as in `entry 3 (line 7)`. */
  readonly place: (index: number) => string;
}

/** Aliases may be used, to write a zone once; a document that multiplies by them is refused. */
const MAX_ALIASES = 1000;

/** Takes a document apart: a list of entries, or an object with one under `endpoints`. Throws if it is neither. */
export function readDocument(text: string, format: 'json' | 'yaml'): Entries {
  if (text.trim() === '') throw new Error('is empty; write endpoints: [] if there are none');
  if (format === 'yaml') return readYaml(text);
  return { entries: listIn(parseJson(text)), place: (index) => `entry ${index + 1}` };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Error(`is no JSON: ${(error as Error).message}`, { cause: error });
  }
}

function readYaml(text: string): Entries {
  const lineCounter = new LineCounter();
  // Both take time that grows with the square: to look for keys that are there twice, and to quote the line of each
  // error. A megabyte would take minutes, in which nothing else is done.
  const document = parseDocument(text, { lineCounter, uniqueKeys: false, prettyErrors: false });
  const [error] = document.errors;
  if (error) {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    throw new Error(`is no YAML: ${error.message} at line ${line}, column ${col}`);
  }
  const { contents } = document;
  const lists = isMap(contents) ? contents.items.filter(({ key }) => isScalar(key) && key.value === 'endpoints') : [];
  if (lists.length > 1) throw new Error('has endpoints more than once; keep one');
  const entries = listIn(document.toJS({ maxAliasCount: MAX_ALIASES }));
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

function listIn(content: unknown): readonly unknown[] {
  if (Array.isArray(content)) return content;
  if (!isObject(content)) throw new Error(`holds ${shown(content)}; write a list, or an object with endpoints`);
  if (Object.hasOwn(content, 'endpoints')) {
    const { endpoints } = content as { endpoints: unknown };
    if (Array.isArray(endpoints)) return endpoints;
    // `endpoints:` with nothing behind it may be a file that is not yet written to its end.
    throw new Error(`has endpoints that are ${shown(endpoints)}; write a list, which is [] if there are none`);
  }
  const meant = Object.keys(content)
    .map((key) => didYouMean('endpoints', [key]) && key)
    .find(Boolean);
  throw new Error(`has no endpoints${meant ? `, but ${shown(meant)}` : ''}; write a list, or an object with endpoints`);
}

import { BACKSLASH, CLOSE_LIST, CLOSE_OBJECT, COMMA, OPEN_LIST, OPEN_OBJECT, QUOTE } from './json-characters.js';

/**
 * Limits for JSON from outside. The time and memory that `JSON.parse` takes depend on the number of values, not of
 * characters: eight megabytes of brackets block the event loop for three seconds.
 */
export interface JsonBounds {
  /** Maximum number of values: elements, members, lists and objects. */
  readonly maxValues: number;
  /** Maximum nesting depth of lists and objects. Default 64. */
  readonly maxDepth?: number;
}

/** Parses a text whose length is already bounded; throws an `Error` before it parses anything beyond the bounds. */
export function parseBoundedJson(text: string, { maxValues, maxDepth = 64 }: JsonBounds): unknown {
  let values = 1;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === COMMA) values++;
    else if (code === OPEN_LIST || code === OPEN_OBJECT) {
      values++;
      if (++depth > maxDepth) throw new Error(`more than ${maxDepth} nested lists and objects`);
    } else if (code === CLOSE_LIST || code === CLOSE_OBJECT) depth--;
    if (values > maxValues) throw new Error(`more than ${maxValues} values`);
  }
  return JSON.parse(text);
}

/** The index of the quote that ends the string which begins at `start`. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) at++;
  }
  return text.length;
}

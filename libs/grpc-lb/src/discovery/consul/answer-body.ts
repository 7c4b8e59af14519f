import { promisify } from 'node:util';
import { type JsonBounds, parseBoundedJson } from '../../core/bounded-json.js';
import { JsonElements } from '../../core/json-elements.js';
import { shown } from '../../core/options/validation.js';

/** Limits of one instance, which has one to three kilobytes and some hundred values. */
const MAX_CHARACTERS = 2 ** 18;
const BOUNDS: JsonBounds = { maxValues: 5000 };
/** The amount to read before yielding: a few milliseconds of work. */
const PIECE_BYTES = 2 ** 18;

const nextTurn = promisify(setImmediate);

/**
 * Parses the body of an answer and passes on its instances one by one, with a pause after each part: 32 MB, or ten
 * thousand instances, take 150 ms at once, and 3 s and 600 MB of memory for malicious input.
 */
export async function readAnswerBody(
  body: Uint8Array,
  onInstance: (instance: unknown) => void,
  signal?: AbortSignal,
): Promise<void> {
  const elements = new JsonElements(undefined, MAX_CHARACTERS);
  const decoder = new TextDecoder();
  for (let at = 0; at < body.length; at += PIECE_BYTES) {
    if (at > 0) await nextTurn();
    signal?.throwIfAborted();
    const piece = decoder.decode(body.subarray(at, at + PIECE_BYTES), { stream: true });
    for (const element of elements.push(piece)) onInstance(parse(element));
  }
  const rest = parse(elements.rest);
  if (!Array.isArray(rest)) throw new Error(`the answer is ${shown(rest)}, not a list`);
}

function parse(text: string): unknown {
  try {
    return parseBoundedJson(text, BOUNDS);
  } catch (error) {
    const { message } = error as Error;
    throw new Error(
      error instanceof SyntaxError ? `the answer is not JSON: ${message}` : `an instance has ${message}`,
      {
        cause: error,
      },
    );
  }
}

/** The maximum length of a text from a peer, a registry or a control plane in an error, an event or a log. */
export const MAX_TEXT = 500;

/**
 * Characters that a terminal or a log reader interprets or hides: control characters (line breaks, ANSI escapes),
 * format characters (bidi overrides, zero width), line and paragraph separators, and unpaired surrogates.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Makes a text from outside this process safe to show: on one line, without control characters, and cut. Idempotent.
 * The cost depends on `max`, not on the length of the text.
 */
export function printable(text: string, max = MAX_TEXT): string {
  const whole = text.length <= max;
  const escaped = spelledOut(whole ? text : text.slice(0, max));
  if (whole && escaped.length <= max) return escaped;
  const note = `... (${text.length} characters)`;
  // Cut before half of a pair, or of an escape.
  const head = escaped.slice(0, Math.max(0, max - note.length));
  return head.replace(/[\uD800-\uDBFF]$|\\(?:u[0-9a-f]{0,3}|u\{[0-9a-f]*)?$/, '') + note;
}

/** The message of a thrown value, or of one passed to `onError`, safe to show, whatever a user's function throws. */
export function printableError(error: unknown, max = MAX_TEXT): string {
  return printable(messageOf(error), max);
}

/** A user may throw an object without a prototype, or an error whose message is not a text. */
function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return 'an error without a message';
  }
}

/** Whether the text may be shown unchanged. */
export function isPrintable(text: string, max: number): boolean {
  return text.length <= max && text.search(UNPRINTABLE) < 0;
}

/** Like `printable`, but without a limit; for texts that are already short. */
export function spelledOut(text: string): string {
  return text.replace(UNPRINTABLE, escape);
}

function escape(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0)!.toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
}

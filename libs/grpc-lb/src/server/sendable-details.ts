import { printable } from '../core/printable.js';

/** Half of a surrogate pair: of a text that was cut within an emoji, or that JSON has spelled out. */
const UNPAIRED = /[\uD800-\uDFFF]/gu;

/** The most bytes of details, as they are encoded: the status and its metadata together must stay below 64 KiB. */
const MAX_ENCODED = 48 * 1024;
/** The most that a character takes. */
const MAX_PER_CHARACTER = 9;

interface WithDetails {
  readonly details?: string | null | undefined;
}

/**
 * A status whose details grpc-js can send. It encodes them by `encodeURI`, which throws for half of a surrogate pair: then
 * the call does not end, and the process does. Handlers put what clients send into errors, whole or cut.
 */
export function withSendableDetails<Ending extends WithDetails>(ending: Ending): Ending {
  const { details } = ending;
  if (details === undefined || details === null) return ending;
  const sendable = cut(textOf(details).replace(UNPAIRED, '\uFFFD'));
  return sendable === details ? ending : { ...ending, details: sendable };
}

/** The `message` of an error may be a list, as of a validation, or any other value, which `encodeURI` makes a text. */
function textOf(details: unknown): string {
  try {
    return String(details);
  } catch {
    return 'an error without a message';
  }
}

function cut(details: string): string {
  if (details.length * MAX_PER_CHARACTER <= MAX_ENCODED || encodeURI(details).length <= MAX_ENCODED) return details;
  return printable(details, Math.floor(MAX_ENCODED / MAX_PER_CHARACTER));
}

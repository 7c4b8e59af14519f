/** Targets contain no spaces, except next to the commas and semicolons of a list. */
const BETWEEN_TARGETS = /(?<![,;\s])\s+(?![,;\s])/;

/** The targets of a text that has one, or several with spaces between them. */
export function targetsIn(text: string): string[] {
  return text.trim().split(BETWEEN_TARGETS);
}

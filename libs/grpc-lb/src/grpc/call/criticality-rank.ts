import { CRITICALITY_LEVELS, isCriticality } from '../../core/call/criticality.js';

/** The criticality in a header as its index; undefined if it states none, or nonsense. */
export function rankOf(header: string | number | readonly string[] | undefined): number | undefined {
  const text = typeof header === 'object' ? header[0] : header;
  return isCriticality(text) ? CRITICALITY_LEVELS.indexOf(text) : undefined;
}

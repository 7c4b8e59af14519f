import type { StreamsSnapshot } from '../snapshot.js';

const NONE: StreamsSnapshot = Object.freeze({ open: 0, oldestMs: null, medianMs: null });

/** @param streams Each with the time of its pick, by the clock. */
export function streamsSnapshot(streams: ReadonlySet<{ readonly reservedAt: number }>, now: number): StreamsSnapshot {
  const open = streams.size;
  if (open === 0) return NONE;
  const ages = new Float64Array(open);
  let i = 0;
  for (const { reservedAt } of streams) ages[i++] = now - reservedAt;
  ages.sort();
  return { open, oldestMs: Math.round(ages[open - 1]!), medianMs: Math.round(ages[open >> 1]!) };
}

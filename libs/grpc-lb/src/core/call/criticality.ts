/**
 * How important a call is, from the least to the most important (SRE book, chapter 21). `sheddable`: it may fail often,
 * and for hours. `sheddable_plus`: it may fail for a while, as a part of a batch that is repeated. `critical`: users see
 * its failure; calls that state nothing count as such. `critical_plus`: its failure is worse than that of others.
 */
export type CriticalityLevel = 'sheddable' | 'sheddable_plus' | 'critical' | 'critical_plus';

/** From the least important to the most important. */
export const CRITICALITY_LEVELS: readonly CriticalityLevel[] = [
  'sheddable',
  'sheddable_plus',
  'critical',
  'critical_plus',
];

/** The metadata key by which it travels. */
export const CRITICALITY_KEY = 'x-criticality';

/** Whether this names a level; anything may come from the wire. */
export function isCriticality(name: unknown): name is CriticalityLevel {
  return (CRITICALITY_LEVELS as readonly unknown[]).includes(name);
}

/** The less important of two, where both are stated. */
export function lessImportant(
  one: CriticalityLevel | undefined,
  other: CriticalityLevel | undefined,
): CriticalityLevel | undefined {
  if (one === undefined) return other;
  if (other === undefined) return one;
  return CRITICALITY_LEVELS.indexOf(one) < CRITICALITY_LEVELS.indexOf(other) ? one : other;
}

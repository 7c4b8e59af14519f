/** A count with its noun: `1 endpoint`, `2 endpoints`. */
export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

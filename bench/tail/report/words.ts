import { milliseconds, ratio } from '../../sim/report/numbers.js';
import type { Spread } from './cells.js';

export function clientsName(count: number): string {
  return count === 1 ? 'one client' : `${count} client processes`;
}

/** Nothing was measured where every call failed. */
export function duration(value: number): string {
  return Number.isNaN(value) ? '-' : milliseconds(value);
}

/** As in `1.03 (1.01 to 1.06)`; a single round has no spread. */
export function ratioSpread({ median, low, high }: Spread): string {
  if (Number.isNaN(median)) return '-';
  return low === high ? ratio(median) : `${ratio(median)} (${ratio(low)} to ${ratio(high)})`;
}

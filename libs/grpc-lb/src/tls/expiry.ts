/** When a certificate is valid, in milliseconds since the epoch. */
export interface Validity {
  readonly from: number;
  readonly until: number;
}

/** Beyond this, a warning would only be noise: even yearly certificates are renewed later. */
const MAX_NOTICE_MS = 7 * 86_400_000;
/** cert-manager renews after two thirds of the lifetime, SPIRE after half of it. Later than this, renewal has failed. */
const SHARE = 0.2;

/** How long before its end a certificate counts as expiring: a fifth of its lifetime, 7 days at most. */
export function defaultNotice({ from, until }: Validity): number {
  return Math.min(MAX_NOTICE_MS, SHARE * Math.max(0, until - from));
}

/** A time span for people: `3 days`, `7 hours`, `20 minutes`, `5 seconds`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  for (const [unit, length] of UNITS) {
    const count = Math.floor(seconds / length);
    if (count >= 2 || unit === 'second') return `${count} ${unit}${count === 1 ? '' : 's'}`;
  }
  return '';
}

const UNITS = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const;

/** As in `2026-11-29 20:35 UTC`. */
export function dateText(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

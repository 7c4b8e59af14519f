import type { HealthCheckOptions } from './health-options.js';

const HIDDEN = '(hidden)';

/** Returns the options without values that may be secret, for any output that shows options. */
export function withoutSecrets<T extends { readonly health?: HealthCheckOptions }>(options: T): T {
  const metadata = options.health?.metadata;
  if (metadata === undefined) return options;
  const hidden = Object.fromEntries(Object.keys(metadata).map((key) => [key, HIDDEN]));
  return { ...options, health: { ...options.health, metadata: hidden } };
}

import { readFileSync } from 'node:fs';
import type { EffectiveLocalityOptions } from '../../core/options/locality-options.js';

/** The environment variable with the zone of a process, set by the Downward API or by the deployment. */
export const ZONE_VARIABLE = 'GRPC_LB_ZONE';

/** The local zone: from the option, else from the file, else from the environment; undefined if zones are ignored. */
export function localZone(
  { enabled, zone, zoneFile }: EffectiveLocalityOptions,
  warn: (warning: string) => void,
): string | undefined {
  if (!enabled) return undefined;
  const ofProcess = process.env[ZONE_VARIABLE];
  const instead = ofProcess?.trim() ? `${ZONE_VARIABLE} is used` : 'zones are ignored';
  const unreadable = (why: string): void =>
    warn(`the zone cannot be read from locality.zoneFile, so ${instead}: ${why}`);
  const places = [() => zone, () => read(zoneFile, unreadable), () => ofProcess];
  for (const place of places) {
    const text = place()?.trim();
    if (text !== undefined && text !== '') return text;
  }
  return undefined;
}

function read(path: string | undefined, unreadable: (why: string) => void): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // Calls must continue if the zone is unknown.
    unreadable((error as Error).message);
    return undefined;
  }
}

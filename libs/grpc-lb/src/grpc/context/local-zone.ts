import { readFileSync } from 'node:fs';
import type { EffectiveLocalityOptions } from '../../core/options/locality-options.js';

/** Where the Downward API, or whoever deploys, says in which zone a process runs. */
export const ZONE_VARIABLE = 'GRPC_LB_ZONE';

/** The zone of this process: what the option says, else the file, else the environment; undefined if zones do not count. */
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
    // Route must not stop because a zone is not known.
    unreadable((error as Error).message);
    return undefined;
  }
}

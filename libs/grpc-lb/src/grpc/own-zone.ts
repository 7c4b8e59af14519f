import { readFileSync } from 'node:fs';
import type { EffectiveLocalityOptions } from '../core/options/locality-options.js';

/** Where the Downward API, or whoever deploys, says in which zone a process runs. */
export const ZONE_VARIABLE = 'GRPC_LB_ZONE';

/** The zone of this process: what the option says, else the file, else the environment; undefined if zones do not count. */
export function ownZone(
  { enabled, zone, zoneFile }: EffectiveLocalityOptions,
  warn: (warning: string) => void,
): string | undefined {
  if (!enabled) return undefined;
  return [zone, zoneFile === undefined ? undefined : read(zoneFile, warn), process.env[ZONE_VARIABLE]]
    .map((text) => text?.trim())
    .find((text) => text !== undefined && text !== '');
}

function read(path: string, warn: (warning: string) => void): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // Traffic must not stop because a zone is not known.
    warn(`the zone cannot be read from locality.zoneFile, so that no zone is preferred: ${(error as Error).message}`);
    return undefined;
  }
}

import { boolean, type Check, fields, number, shown } from './validation.js';

/** Zone-aware routing: calls stay in the local zone while it can take them. */
export interface LocalityOptions {
  /**
   * Whether calls prefer the local zone.
   *
   * @default true, as soon as the local zone is known
   */
  readonly enabled?: boolean;
  /**
   * Local zone of this client, spelled as discovery does: `eu-central-1a`.
   *
   * @default content of `zoneFile`, else the environment variable `GRPC_LB_ZONE`
   */
  readonly zone?: string;
  /**
   * A file that holds the zone, as a Downward API volume writes it. It is read when the client is made.
   *
   * @default none
   */
  readonly zoneFile?: string;
  /**
   * Share of calls that always leaves the local zone, 0 to 0.5, to measure the other zones. With 0 calls leave the zone
   * only if too few of its endpoints are healthy, never because it is slow.
   *
   * @default 0.01
   */
  readonly minCrossZoneShare?: number;
  /**
   * Latency of the local zone, as a multiple of that of the other zones, above which more calls leave it, 1.1 to 10.
   *
   * @default 1.5
   */
  readonly spillRatio?: number;
  /**
   * Difference in utilization, as backends report it, by which the local zone may be busier than the others before calls
   * leave it, 0.01 to 1: with 0.1 a zone at 0.6 keeps its calls while the others are at 0.5 or more. `false` ignores what
   * backends report. Needs backends that report their load with their answers (ORCA, gRFC A51), as those of
   * `nestjs-grpc-lb/server` with `loadReports` do; reading a report costs about a microsecond a call.
   *
   * @default false
   */
  readonly spillUtilization?: number | false;
}

/** Locality options with every default filled in. */
export type EffectiveLocalityOptions = Required<Omit<LocalityOptions, 'zone' | 'zoneFile'>> &
  Pick<LocalityOptions, 'zone' | 'zoneFile'>;

function text(example: string): Check {
  return (path, value, faults) => {
    if (typeof value !== 'string' || value.trim() === '')
      faults.push({ path, message: `is ${shown(value)}; use a non-empty string, as in "${example}"` });
  };
}

const utilization: Check = (path, value, faults) => {
  if (value === false || (typeof value === 'number' && value >= 0.01 && value <= 1)) return;
  faults.push({ path, message: `is ${shown(value)}; use a number from 0.01 to 1, or false` });
};

export const localityCheck: Check = fields({
  enabled: boolean,
  zone: text('eu-central-1a'),
  zoneFile: text('/etc/podinfo/zone'),
  minCrossZoneShare: number({ min: 0, max: 0.5 }),
  spillRatio: number({ min: 1.1, max: 10 }),
  spillUtilization: utilization,
});

export function effectiveLocality(options: LocalityOptions = {}): EffectiveLocalityOptions {
  return {
    enabled: options.enabled ?? true,
    zone: options.zone,
    zoneFile: options.zoneFile,
    minCrossZoneShare: options.minCrossZoneShare ?? 0.01,
    spillRatio: options.spillRatio ?? 1.5,
    spillUtilization: options.spillUtilization ?? false,
  };
}

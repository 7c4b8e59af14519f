import { boolean, type Check, fields, number, shown } from './validation.js';

/** How calls stay in the client's own zone, and when they leave it. */
export interface LocalityOptions {
  /** False turns it off: all zones are alike. Default true, as soon as the client's zone is known. */
  readonly enabled?: boolean;
  /**
   * The zone of this client, as discovery writes it: `eu-central-1a`. Default: what stands in `zoneFile`, or else in
   * the environment variable `GRPC_LB_ZONE`.
   */
  readonly zone?: string;
  /** A file that holds the zone, as a Downward API volume writes it. It is read when the client is made. */
  readonly zoneFile?: string;
  /**
   * The share of calls that leaves the zone always, 0 to 0.5: what the own zone is compared with. 0: calls leave it
   * only if too few of its endpoints are well, never because it is slow. Default 0.01.
   */
  readonly minCrossZoneShare?: number;
  /**
   * How many times the latency of the other zones that of the own zone may be before more calls leave it, 1.1 to 10.
   * Default 1.5.
   */
  readonly spillRatio?: number;
}

export type EffectiveLocalityOptions = Required<Omit<LocalityOptions, 'zone' | 'zoneFile'>> &
  Pick<LocalityOptions, 'zone' | 'zoneFile'>;

function text(example: string): Check {
  return (path, value, faults) => {
    if (typeof value !== 'string' || value.trim() === '')
      faults.push({ path, message: `is ${shown(value)}; use a non-empty string, as in "${example}"` });
  };
}

export const localityCheck: Check = fields({
  enabled: boolean,
  zone: text('eu-central-1a'),
  zoneFile: text('/etc/podinfo/zone'),
  minCrossZoneShare: number({ min: 0, max: 0.5 }),
  spillRatio: number({ min: 1.1, max: 10 }),
});

export function effectiveLocality(options: LocalityOptions = {}): EffectiveLocalityOptions {
  return {
    enabled: options.enabled ?? true,
    zone: options.zone,
    zoneFile: options.zoneFile,
    minCrossZoneShare: options.minCrossZoneShare ?? 0.01,
    spillRatio: options.spillRatio ?? 1.5,
  };
}

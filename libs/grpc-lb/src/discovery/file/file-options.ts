import { type Fault, GrpcLbOptionsError } from '../../core/errors.js';
import { fields, integer } from '../../core/options/validation.js';

export interface FileSourceOptions {
  /**
   * Milliseconds after which the file is looked at, ± 20 %, though nothing was seen to change: network mounts tell
   * nobody. 100 to 86400000. Default 5000.
   */
  readonly pollInterval?: number;
  /** Milliseconds for which the file must have been left alone before it is read, 0 to 10000. Default 30. */
  readonly settleTime?: number;
  /**
   * Bytes above which the file is refused, 1 to 67108864. Default 1048576 for JSON, and 40000 for YAML: a megabyte of YAML
   * takes a second to read, in which nothing else is done.
   */
  readonly maxSize?: number;
}

export type EffectiveFileOptions = Required<Omit<FileSourceOptions, 'maxSize'>> & Pick<FileSourceOptions, 'maxSize'>;

const check = fields({
  pollInterval: integer({ min: 100, max: 86_400_000, unit: 'milliseconds' }),
  settleTime: integer({ min: 0, max: 10_000, unit: 'milliseconds' }),
  maxSize: integer({ min: 1, max: 64 * 1024 * 1024, unit: 'bytes' }),
});

/** Checks the options, all faults in one error, and fills in the defaults. */
export function effectiveFileOptions(options: FileSourceOptions): EffectiveFileOptions {
  const faults: Fault[] = [];
  check('options', options, faults);
  if (faults.length > 0) throw new GrpcLbOptionsError('fileSourceFactory', faults);
  const { pollInterval = 5000, settleTime = 30, maxSize } = options;
  return { pollInterval, settleTime, ...(maxSize !== undefined && { maxSize }) };
}

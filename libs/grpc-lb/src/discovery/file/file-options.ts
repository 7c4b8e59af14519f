import { type Fault, GrpcLbOptionsError } from '../../core/errors.js';
import { fields, integer } from '../../core/options/validation.js';

/** What `fileSourceFactory` and `registerFile` take. */
export interface FileSourceOptions {
  /**
   * Milliseconds between checks of the file without a change event, ± 20 %, 100 to 86400000. Network mounts send no
   * events.
   *
   * @default 5000
   */
  readonly pollInterval?: number;
  /**
   * Milliseconds without a change before the file is read, 0 to 10000.
   *
   * @default 30
   */
  readonly settleTime?: number;
  /**
   * Maximum size of the file in bytes, 1 to 67108864. A megabyte of YAML blocks the event loop for a second.
   *
   * @default 1048576 for JSON, 40000 for YAML
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

import { parseArgs } from 'node:util';
import type { Knobs } from 'demo-server/control';

export interface Settings extends Knobs {
  readonly port: number;
  readonly slots: number;
  /** Of `/metrics`; 0 for none. */
  readonly metricsPort: number;
}

interface Field {
  readonly key: keyof Settings;
  readonly env: string;
  readonly flag: string;
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
  readonly whole?: boolean;
}

const FIELDS: readonly Field[] = [
  { key: 'port', env: 'PORT', flag: 'port', fallback: 50051, min: 1, max: 65535, whole: true },
  { key: 'delayMs', env: 'DELAY_MS', flag: 'delay-ms', fallback: 20, min: 0, max: 60_000 },
  { key: 'slots', env: 'SLOTS', flag: 'slots', fallback: 4, min: 1, max: 10_000, whole: true },
  { key: 'factor', env: 'FACTOR', flag: 'factor', fallback: 1, min: 0.01, max: 1000 },
  { key: 'errorRate', env: 'ERROR_RATE', flag: 'error-rate', fallback: 0, min: 0, max: 1 },
  { key: 'metricsPort', env: 'METRICS_PORT', flag: 'metrics-port', fallback: 0, min: 0, max: 65535, whole: true },
];

/** Flags override the environment. Throws one error that lists all faults. */
export function readSettings(args: readonly string[], env: NodeJS.ProcessEnv): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: Object.fromEntries(FIELDS.map((field) => [field.flag, { type: 'string' as const }])),
  });
  const faults: string[] = [];
  const settings = Object.fromEntries(
    FIELDS.map((field) => {
      const text = values[field.flag] ?? env[field.env];
      const value = text === undefined ? field.fallback : Number(text || NaN);
      if (!(value >= field.min && value <= field.max) || (field.whole && !Number.isInteger(value))) {
        const kind = field.whole ? 'a whole number' : 'a number';
        faults.push(
          `--${field.flag} (or ${field.env}) is "${String(text)}": use ${kind} from ${field.min} to ${field.max}`,
        );
      }
      return [field.key, value];
    }),
  ) as unknown as Settings;
  if (faults.length > 0) throw new Error(`demo-server cannot start:\n  ${faults.join('\n  ')}`);
  return settings;
}

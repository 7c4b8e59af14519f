/** One thing that is wrong with the options a user wrote. */
export interface ServerOptionFault {
  /** Where, as one would write it: `drain.delay`. */
  readonly path: string;
  /** What is wrong, which value was found, what is allowed and what to do. */
  readonly message: string;
}

/** All that is wrong with the options of the server's half, in one error. */
export class GrpcServerOptionsError extends Error {
  /** Stable, for programs. */
  readonly code = 'GRPC_SERVER_INVALID_OPTIONS';

  constructor(
    /** What was given them, as in `GrpcServerModule.forRoot`. */
    readonly subject: string,
    readonly faults: readonly ServerOptionFault[],
  ) {
    const count = faults.length === 1 ? 'an option is wrong' : `${faults.length} options are wrong`;
    super(`${subject}: ${count}\n${faults.map(({ path, message }) => `  - ${path} ${message}`).join('\n')}`);
    this.name = 'GrpcServerOptionsError';
  }
}

/** Checks one value, and adds what is wrong with it to `faults`. */
export type Check = (path: string, value: unknown, faults: ServerOptionFault[]) => void;

/** Milliseconds. */
export function milliseconds(min: number, max: number): Check {
  return integer(min, max, ' (milliseconds)');
}

export function integer(min: number, max: number, unit = ''): Check {
  return (path, value, faults) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return;
    faults.push({ path, message: `is ${shown(value)}; use a whole number from ${min} to ${max}${unit}` });
  };
}

export const boolean: Check = (path, value, faults) => {
  if (typeof value !== 'boolean') faults.push({ path, message: `is ${shown(value)}; use true or false` });
};

/** `true` for the defaults, `false` for none of it, or the details. */
export function switchable(details: Check): Check {
  return (path, value, faults) => {
    if (typeof value !== 'boolean') details(path, value, faults);
  };
}

/** An object of optional fields; a field that is not listed is a fault, `undefined` is as good as absent. */
export function fields(checks: Readonly<Record<string, Check>>): Check {
  const names = Object.keys(checks).join(', ');
  return (path, value, faults) => {
    if (!isObject(value)) {
      faults.push({ path: path || 'options', message: `is ${shown(value)}; use an object with ${names}` });
      return;
    }
    for (const [key, field] of Object.entries(value)) {
      const at = path ? `${path}.${key}` : key;
      const check = Object.hasOwn(checks, key) ? checks[key] : undefined;
      if (!check) faults.push({ path: at, message: `is not an option; the options here are ${names}` });
      else if (field !== undefined) check(at, field, faults);
    }
  };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as it may stand in a message: short, and on one line. */
export function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

import { type Check, fields, integer, isObject, number, shown } from '../core/options/validation.js';

/** How old streams may become. */
export interface GrpcStreamAgeOptions {
  /**
   * Milliseconds after which streams end whose method and service are not listed, 1000 to 604800000.
   *
   * @default never
   */
  readonly default?: number;
  /**
   * Ages in milliseconds by method, as in `'orders.v1.Orders/Watch'`, or for all streams of a service, as in
   * `'orders.v1.Orders'`; `false` for never. A method wins over its service, and over `@MaxStreamAge`.
   *
   * @default none
   */
  readonly methods?: Readonly<Record<string, number | false>>;
  /**
   * The share by which the age of each stream is randomly longer or shorter, 0 to 0.5, so that streams which began
   * together do not end together.
   *
   * @default 0.1
   */
  readonly jitter?: number;
  /**
   * Milliseconds that a stream may continue after its age, 0 to 600000, for clients that move at it.
   *
   * @default 5000
   */
  readonly grace?: number;
}

const WEEK = 604_800_000;
const age = integer({ min: 1000, max: WEEK, unit: 'milliseconds' });

/** An age, or `false` for never. */
export const maxAgeCheck: Check = (path, value, faults) => {
  if (value === false) return;
  const before = faults.length;
  age(path, value, faults);
  const fault = faults[before];
  if (fault) faults[before] = { ...fault, message: `${fault.message}, or false for never` };
};

const methodsCheck: Check = (path, value, faults) => {
  if (!isObject(value)) {
    faults.push({ path, message: `is ${shown(value)}; use an object of milliseconds by method or service` });
    return;
  }
  for (const [name, item] of Object.entries(value)) maxAgeCheck(`${path}['${name}']`, item, faults);
};

const detailsCheck = fields({
  default: age,
  methods: methodsCheck,
  jitter: number({ min: 0, max: 0.5 }),
  grace: integer({ min: 0, max: 600_000, unit: 'milliseconds' }),
});

export const streamAgeCheck: Check = (path, value, faults) =>
  (typeof value === 'number' ? age : detailsCheck)(path, value, faults);

export interface EffectiveStreamAge extends Required<Omit<GrpcStreamAgeOptions, 'default'>> {
  /** False for never. */
  readonly default: number | false;
}

export function effectiveStreamAge(option: number | GrpcStreamAgeOptions | undefined): EffectiveStreamAge {
  const given: GrpcStreamAgeOptions = typeof option === 'number' ? { default: option } : (option ?? {});
  return {
    default: given.default ?? false,
    methods: given.methods ?? {},
    jitter: given.jitter ?? 0.1,
    grace: given.grace ?? 5000,
  };
}

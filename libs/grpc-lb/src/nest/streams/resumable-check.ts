import type { ServiceClientConstructor } from '@grpc/grpc-js';
import type { Fault } from '../../core/errors.js';
import { FAILURE_STATUS_NAMES } from '../../core/options/status-names.js';
import {
  boolean,
  type Check,
  didYouMean,
  fields,
  integer,
  isObject,
  listOf,
  oneOf,
  shown,
} from '../../core/options/validation.js';
import { methodNames, protoName } from '../definition/method-names.js';

const call: Check = (path, value, faults) => {
  if (typeof value !== 'function') faults.push({ path, message: `is ${shown(value)}; use a function` });
};

const callUnlessFalse: Check = (path, value, faults) => {
  if (typeof value === 'function' || value === false) return;
  faults.push({ path, message: `is ${shown(value)}; use a function that returns the identity of a message, or false` });
};

const attempts: Check = (path, value, faults) => {
  if (value === Infinity || (typeof value === 'number' && Number.isInteger(value) && value >= 0)) return;
  faults.push({ path, message: `is ${shown(value)}; use a whole number from 0, or Infinity` });
};

const handover: Check = (path, value, faults) => {
  if (value !== false)
    fields({ timeout: integer({ min: 1, max: 600_000, unit: 'milliseconds' }) })(path, value, faults);
};

const STATUSES = 'an array of status names, as in ["UNAVAILABLE"]';
const statuses = listOf(oneOf(FAILURE_STATUS_NAMES), STATUSES);

const anyStatuses = listOf(oneOf(['OK', 'CANCELLED', ...FAILURE_STATUS_NAMES]), STATUSES);

const resumableStatuses: Check = (path, value, faults) => {
  anyStatuses(path, value, faults);
  if (!Array.isArray(value) || !value.includes('DEADLINE_EXCEEDED')) return;
  faults.push({
    path,
    message: 'has DEADLINE_EXCEEDED, but a deadline is that of the whole subscription; remove it',
  });
};

const replayFields = fields({
  key: call,
  acknowledged: call,
  cumulative: boolean,
  maxPending: integer({ min: 1, max: 100_000, unit: 'requests' }),
  maxPendingBytes: integer({ min: 1, max: 1_073_741_824, unit: 'bytes' }),
});

const replay: Check = (path, value, faults) => {
  replayFields(path, value, faults);
  if (!isObject(value)) return;
  for (const name of ['key', 'acknowledged']) {
    if ((value as Record<string, unknown>)[name] === undefined)
      faults.push({ path: `${path}.${name}`, message: 'is missing' });
  }
};

const checkFields = fields({
  method: (path, value, faults) => {
    if (typeof value !== 'string') faults.push({ path, message: `is ${shown(value)}; use the name of a method` });
  },
  token: call,
  resume: call,
  bookmark: call,
  dedupe: callUnlessFalse,
  onGap: call,
  gapStatusCodes: statuses,
  resumableStatusCodes: resumableStatuses,
  maxAttempts: attempts,
  initialBackoff: integer({ min: 1, max: 60_000, unit: 'milliseconds' }),
  maxBackoff: integer({ min: 1, max: 600_000, unit: 'milliseconds' }),
  handover,
  replay,
});

/** Adds the faults of the `resumable` option. */
export function checkResumable(
  value: unknown,
  services: ReadonlyMap<string, ServiceClientConstructor>,
  faults: Fault[],
): void {
  if (value === undefined) return;
  if (!Array.isArray(value)) {
    faults.push({ path: 'resumable', message: `is ${shown(value)}; use an array, as in [resumable({ method, ... })]` });
    return;
  }
  const seen = new Set<string>();
  value.forEach((item: unknown, i) => checkOne(`resumable[${i}]`, item, services, seen, faults));
}

function checkOne(
  path: string,
  item: unknown,
  services: ReadonlyMap<string, ServiceClientConstructor>,
  seen: Set<string>,
  faults: Fault[],
): void {
  const before = faults.length;
  checkFields(path, item, faults);
  if (!isObject(item)) return;
  const options = item as Record<string, unknown>;
  for (const name of ['method', 'token', 'resume']) {
    if (options[name] === undefined) faults.push({ path: `${path}.${name}`, message: 'is missing' });
  }
  if (faults.length > before || services.size === 0) return;
  const name = options['method'] as string;
  const methods = [...services.values()].flatMap(({ service }) => Object.values(service));
  const found = methods.filter((each) => methodNames(each).includes(name));
  if (found.length === 0) {
    const known = methods.map(protoName);
    const message = `is ${shown(name)}, which is not a method of the client's services${didYouMean(name, known)}; they have ${known.join(', ')}`;
    faults.push({ path: `${path}.method`, message });
  }
  for (const method of found) {
    if (!method.responseStream) {
      const message = `is ${shown(name)}, which has one response; only streams of responses can resume`;
      faults.push({ path: `${path}.method`, message });
    } else if (method.requestStream && options['replay'] === undefined) {
      const message = `is missing: ${shown(name)} streams its requests; say which of them a new call repeats, as in { key, acknowledged }`;
      faults.push({ path: `${path}.replay`, message });
    } else if (!method.requestStream && options['replay'] !== undefined) {
      const message = `is for methods that stream their requests, and ${shown(name)} has one request; remove it`;
      faults.push({ path: `${path}.replay`, message });
    }
    if (seen.has(method.path)) faults.push({ path: `${path}.method`, message: `is ${shown(name)} a second time` });
    seen.add(method.path);
  }
}

import { IN_LOAD_BALANCING, loadBalancingCheck } from '../core/options/load-balancing.js';
import { type Fault, GrpcLbOptionsError } from '../core/errors.js';
import { boolean, type Check, fields, oneOf, shown } from '../core/options/validation.js';
import { tlsFieldCheck } from '../tls/options.js';
import type { CallObserver } from '../grpc/call/call-observer.js';
import type { GrpcLbClientOverrides, GrpcLbModuleOptions } from './module-options.js';

/** The target of an override is checked with its client; other applications may share the environment. */
const target: Check = (path, value, faults) => {
  const several = Array.isArray(value)
    ? '; for several addresses write static:///a:1,b:1, for several targets use targets'
    : '';
  if (typeof value !== 'string' || value === '')
    faults.push({ path, message: `is ${shown(value)}; use a target, as in dns:///orders:50051${several}` });
};

const targets: Check = (path, value, faults) => {
  if (!Array.isArray(value) || value.length === 0)
    faults.push({ path, message: `is ${shown(value)}; use a list of targets, in order of preference` });
  else value.forEach((item, i) => target(`${path}[${i}]`, item, faults));
};

const overrideFields = fields(
  { target, targets, loadBalancing: loadBalancingCheck, tls: tlsFieldCheck },
  IN_LOAD_BALANCING,
);

const override: Check = (path, value, faults) => {
  overrideFields(path, value, faults);
  const given = value as GrpcLbClientOverrides | null;
  if (given?.target !== undefined && given.targets !== undefined)
    faults.push({
      path: `${path}.targets`,
      message: `is set together with target ${shown(given.target)}; remove one of them`,
    });
};

const overrides: Check = (path, value, faults) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    faults.push({
      path,
      message: `is ${shown(value)}; use an object by client name, as in { ORDERS_CLIENT: { target } }`,
    });
    return;
  }
  for (const [client, options] of Object.entries(value)) override(`${path}.${client}`, options, faults);
};

const observer: Check = (path, value, faults) => {
  if (typeof (value as CallObserver | null | undefined)?.callStarted !== 'function')
    faults.push({ path, message: `is ${shown(value)}; use an object with a method callStarted` });
};

const checkFields = fields(
  {
    loadBalancing: loadBalancingCheck,
    tls: tlsFieldCheck,
    overrides,
    connect: oneOf(['eager', 'lazy']),
    logging: boolean,
    observer,
  },
  IN_LOAD_BALANCING,
);

/** @throws GrpcLbOptionsError that lists all faults of the options of `forRoot`. */
export function assertModuleOptions(options: unknown): asserts options is GrpcLbModuleOptions {
  const faults: Fault[] = [];
  checkFields('options', options, faults);
  if (faults.length === 0) return;
  throw new GrpcLbOptionsError(
    'GrpcLbModule.forRoot',
    faults.map(({ path, message }) => ({ path: path.replace(/^options\./, ''), message })),
  );
}

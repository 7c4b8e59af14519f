import { ChannelCredentials } from '@grpc/grpc-js';
import { IN_LOAD_BALANCING, loadBalancingCheck } from '../core/options/load-balancing.js';
import type { Fault } from '../core/errors.js';
import { boolean, type Check, fields, integer, isObject, shown } from '../core/options/validation.js';
import { withoutSecrets } from '../core/target-secrets.js';
import { checkTarget, sameTarget } from '../grpc/channel/check-target.js';
import { isDelegated } from '../grpc/channel/delegated-channel.js';
import { isSecure, tlsNameFaults } from '../grpc/channel/tls-name.js';
import { TLS_AND_CREDENTIALS, tlsFaults } from '../grpc/tls/tls-faults.js';
import { tlsFieldCheck } from '../tls/options.js';
import type { GrpcLbClientOptions } from './client-options.js';
import { isDefined } from './stub/service-definitions.js';
import { addressList, targetOf } from './url.js';

const anything: Check = () => {};

const text: Check = (path, value, faults) => {
  if (typeof value !== 'string' || value.trim() === '')
    faults.push({ path, message: `is ${shown(value)}; use a non-empty string` });
};

const texts: Check = (path, value, faults) => {
  if (Array.isArray(value) && value.length > 0) value.forEach((item, i) => text(`${path}[${i}]`, item, faults));
  else text(path, value, faults);
};

/** A package may be empty: the proto file then has none. */
const packages: Check = (path, value, faults) => {
  if (value !== '') texts(path, value, faults);
};

const object: Check = (path, value, faults) => {
  if (!isObject(value)) faults.push({ path, message: `is ${shown(value)}; use an object` });
};

const SERVICE_CONFIG = 'grpc.service_config';

const channelOptions: Check = (path, value, faults) => {
  object(path, value, faults);
  const config = (value as Record<string, unknown> | null)?.[SERVICE_CONFIG];
  if (config === undefined) return;
  const at = `${path}["${SERVICE_CONFIG}"]`;
  try {
    // An object becomes the string [object Object], which is not JSON either.
    const parsed: unknown = JSON.parse(config as string);
    if (!isObject(parsed) || !('loadBalancingConfig' in parsed)) return;
    faults.push({
      path: `${at}.loadBalancingConfig`,
      message: 'has no effect here; set loadBalancing: { policy: ... } instead',
    });
  } catch {
    faults.push({
      path: at,
      message: `is ${shown(config)}; use JSON, as in JSON.stringify({ methodConfig: [...] })`,
    });
  }
};

const credentials: Check = (path, value, faults) => {
  if (value instanceof ChannelCredentials) return;
  // The value itself may be a secret.
  faults.push({
    path,
    message:
      'are not ChannelCredentials of the @grpc/grpc-js that this package uses; create them with credentials.createSsl(), and check that "npm ls @grpc/grpc-js" shows one version',
  });
};

/** The whole of it, and the files, once it is known where it comes from. */
const tls: Check = (path, value, faults) => {
  if (value !== false) tlsFieldCheck(path, value, faults);
};

const interceptors: Check = (path, value, faults) => {
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'function'))
    faults.push({ path, message: `is ${shown(value)}; use an array of grpc-js interceptors` });
};

const targetCheck =
  (standsAlone: boolean): Check =>
  (path, value, faults) => {
    const before = faults.length;
    if (standsAlone && Array.isArray(value)) {
      const remedy = 'use one target; for addresses that share the calls use url, for targets by priority use targets';
      faults.push({ path, message: `is ${shown(value)}; ${remedy}` });
    } else text(path, value, faults);
    if (faults.length > before) return;
    for (const fault of checkTarget(value as string, standsAlone)) {
      faults.push({
        path,
        message: `${shown(withoutSecrets(value as string))}: ${fault.path === path ? '' : `${fault.path} `}${fault.message}`,
      });
    }
  };

const target = targetCheck(true);
const oneOfSeveral = targetCheck(false);

const url: Check = (path, value, faults) =>
  Array.isArray(value) ? addressList(path, value, faults) : target(path, value, faults);

/** More targets would not help, and each is resolved all the time. */
const MAX_TARGETS = 16;

const targets: Check = (path, value, faults) => {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_TARGETS)
    faults.push({
      path,
      message: `is ${shown(value)}; use a list of 1 to ${MAX_TARGETS} targets, in order of preference`,
    });
  else {
    const before = faults.length;
    value.forEach((item, i) => oneOfSeveral(`${path}[${i}]`, item, faults));
    if (faults.length === before) checkTwins(path, value as string[], faults);
  }
};

const checkTwins = (path: string, items: readonly string[], faults: Fault[]): void => {
  const seen = new Set<string>();
  for (const [i, item] of items.entries()) {
    const key = sameTarget(item);
    if (seen.has(key))
      faults.push({
        path: `${path}[${i}]`,
        message: `is ${shown(item)}, which is already in the list; list each target once`,
      });
    seen.add(key);
  }
};

const bytes = integer({ min: -1, max: 2 ** 31 - 1, unit: 'bytes; -1 for no limit' });
const milliseconds = integer({ min: 0, max: 2 ** 31 - 1, unit: 'milliseconds' });

const checkFields = fields(
  {
    target,
    url,
    targets,
    // Read with the services.
    definition: anything,
    package: packages,
    protoPath: texts,
    protoLoader: text,
    packageDefinition: object,
    loader: object,
    credentials,
    tls,
    channelOptions,
    interceptors,
    keepalive: fields({
      keepaliveTimeMs: milliseconds,
      keepaliveTimeoutMs: milliseconds,
      keepalivePermitWithoutCalls: integer({ min: 0, max: 1 }),
      http2MaxPingsWithoutData: milliseconds,
      http2MinTimeBetweenPingsMs: milliseconds,
      http2MinPingIntervalWithoutDataMs: milliseconds,
      http2MaxPingStrikes: milliseconds,
    }),
    maxSendMessageLength: bytes,
    maxReceiveMessageLength: bytes,
    maxMetadataSize: bytes,
    loadBalancing: loadBalancingCheck,
    // Checked with the methods of the proto files.
    resumable: anything,
    // A server option; accepted because one options object often serves both sides, but without effect, as in Nest.
    gracefulShutdown: boolean,
    onLoadPackageDefinition: anything,
  },
  IN_LOAD_BALANCING,
);

/**
 * Adds all faults of a client's options to `faults`, except those that only the proto files can show.
 *
 * @param targetPath The path of a target in a fault, if it does not come from these options.
 */
export function checkClientOptions(
  options: GrpcLbClientOptions,
  faults: Fault[],
  targetPath: (path: string) => string = (path) => path,
): void {
  const found: Fault[] = [];
  checkFields('', options, found);
  for (const { path, message } of found) {
    faults.push({ path: /^targets?(\[|$)/.test(path) ? targetPath(path) : path, message });
  }
  if (found.length === 0) faults.push(...tlsFaultsOf(options));
  if (options.package === undefined && !isDefined(options)) {
    const remedy = 'set the package of the proto file, as in orders.v1, or definition, a service of generated code';
    faults.push({ path: 'package', message: `is missing; ${remedy}` });
  }
  const given = (['target', 'url', 'targets'] as const).filter((key) => options[key] !== undefined);
  if (given.length === 0) {
    faults.push({
      path: 'target',
      message:
        'is missing; set where the endpoints are, as in dns:///orders:50051 (there is no default, and options of a server may have no url)',
    });
  }
  for (const key of given.slice(1)) {
    const first = given[0]!;
    faults.push({ path: key, message: `is set together with ${first} ${shown(options[first])}; remove one of them` });
  }
}

/** For options that are valid individually. */
function tlsFaultsOf(options: GrpcLbClientOptions): Fault[] {
  const { credentials: given } = options;
  const used = options.tls === false ? undefined : options.tls;
  const faults = used ? tlsFaults(used) : [];
  if (used && given) faults.push({ path: 'tls', message: TLS_AND_CREDENTIALS });
  const all = options.targets ?? [targetOf(options) ?? []].flat();
  const isOwn = all.length > 0 && !isDelegated(all[0]!);
  if (isOwn && (used ?? (given && isSecure(given)))) faults.push(...tlsNameFaults(all, used, options.channelOptions));
  return faults;
}

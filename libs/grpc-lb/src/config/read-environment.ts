import { type LoadBalancingOptions, loadBalancingCheck, mergeLoadBalancing } from '../core/options/load-balancing.js';
import type { Fault } from '../core/errors.js';
import { type Check, didYouMean, shown } from '../core/options/validation.js';
import { tlsFieldCheck, type TlsOptions } from '../tls/options.js';
import type { GrpcLbClientOverrides } from '../nest/module-options.js';
import { rememberVariable } from '../core/options/origin.js';
import { KUBERNETES_LINK, PLACE, PREFIX } from '../core/options/variables.js';
import { targetsIn } from '../core/target-list.js';

/** A string from the environment as the value of its option; the check of the option reports what cannot be read. */
type Reader = (text: string) => unknown;

const asNumber: Reader = (text) => (text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text));

/** A number, or the name of a quantile. */
const asDelay: Reader = (text) => asNumber(text.trim());

/** An object as JSON. */
const asJson: Reader = (text) => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
};

/** A policy is its name, or its options as JSON: `{"name":"least_request","choiceCount":2}`. */
const asPolicy: Reader = (text) => {
  return text.trim().startsWith('{') ? asJson(text) : text.trim();
};

/** A value that is neither true nor false is left unchanged. */
const asBoolean: Reader = (text) => {
  const word = text.trim().toLowerCase();
  return word === 'true' || word === 'false' ? word === 'true' : text;
};

/** True, false, or options as JSON: `{"interval":30000}`. */
const asSwitch: Reader = (text) => (text.trim().startsWith('{') ? asJson(text) : asBoolean(text));

const asText: Reader = (text) => text.trim();

/** A list, separated by spaces or commas. */
const asList: Reader = (text) => text.trim().split(/[\s,]+/);

/** One name, or a list. */
const asNames: Reader = (text) => {
  const names = text.trim().split(/[\s,]+/);
  return names.length > 1 ? names : names[0];
};

/** The option of a variable, and how to read it. */
interface Option {
  /** As in `['pool', 'size']`. */
  readonly at: readonly [aspect: string, ...fields: string[]];
  readonly read: Reader;
}

/** Where the options of a variable belong in the overrides of a client. */
interface Place<T> {
  readonly check: Check;
  readonly merge: (base: T | undefined, over: T) => T;
}

const LOAD_BALANCING: Place<LoadBalancingOptions> = { check: loadBalancingCheck, merge: mergeLoadBalancing };
const TLS: Place<TlsOptions> = { check: tlsFieldCheck, merge: (base, over) => ({ ...base, ...over }) };

/** All options except the target. Lists and options of single methods can only be set in code. */
const OPTIONS: Readonly<Record<string, Option>> = {
  POLICY: { at: ['policy'], read: asPolicy },
  POOL_SIZE: { at: ['pool', 'size'], read: asNumber },
  POOL_MAX_SIZE: { at: ['pool', 'maxSize'], read: asNumber },
  POOL_MAX_CONCURRENT_STREAMS: { at: ['pool', 'maxConcurrentStreams'], read: asNumber },
  POOL_MAX_PENDING: { at: ['pool', 'maxPending'], read: asNumber },
  POOL_MAX_CONNECTION_AGE: { at: ['pool', 'maxConnectionAge'], read: asNumber },
  POOL_IDLE_TIMEOUT: { at: ['pool', 'idleTimeout'], read: asNumber },
  POOL_CONNECT_TIMEOUT: { at: ['pool', 'connectTimeout'], read: asNumber },
  POOL_PING_AFTER: { at: ['pool', 'pingAfter'], read: asNumber },
  POOL_SUSPECT_AFTER: { at: ['pool', 'suspectAfter'], read: asNumber },
  POOL_PING_TIMEOUT: { at: ['pool', 'pingTimeout'], read: asNumber },
  HEALTH_ENABLED: { at: ['health', 'enabled'], read: asBoolean },
  HEALTH_SERVICE: { at: ['health', 'service'], read: asText },
  HEALTH_METADATA: { at: ['health', 'metadata'], read: asJson },
  HEALTH_PANIC_THRESHOLD: { at: ['health', 'panicThreshold'], read: asNumber },
  EJECTION_ENABLED: { at: ['ejection', 'enabled'], read: asBoolean },
  SLOW_START_ENABLED: { at: ['slowStart', 'enabled'], read: asBoolean },
  SUBSET_SIZE: { at: ['subset', 'size'], read: asNumber },
  SUBSET_ALGORITHM: { at: ['subset', 'algorithm'], read: asText },
  SUBSET_CLIENTS: { at: ['subset', 'clients'], read: asNumber },
  SUBSET_INDEX: { at: ['subset', 'index'], read: asNumber },
  LOCALITY_ENABLED: { at: ['locality', 'enabled'], read: asBoolean },
  LOCALITY_ZONE: { at: ['locality', 'zone'], read: asText },
  LOCALITY_ZONE_FILE: { at: ['locality', 'zoneFile'], read: asText },
  LOCALITY_MIN_CROSS_ZONE_SHARE: { at: ['locality', 'minCrossZoneShare'], read: asNumber },
  LOCALITY_SPILL_RATIO: { at: ['locality', 'spillRatio'], read: asNumber },
  LOCALITY_SPILL_UTILIZATION: { at: ['locality', 'spillUtilization'], read: asNumber },
  RETRY_MAX_ATTEMPTS: { at: ['retry', 'maxAttempts'], read: asNumber },
  RETRY_ATTEMPT_TIMEOUT: { at: ['retry', 'attemptTimeout'], read: asNumber },
  RETRY_BUDGET_RATIO: { at: ['retry', 'budget', 'ratio'], read: asNumber },
  RETRY_BUDGET_MIN_PER_SECOND: { at: ['retry', 'budget', 'minPerSecond'], read: asNumber },
  HEDGE_MAX_ATTEMPTS: { at: ['hedge', 'maxAttempts'], read: asNumber },
  HEDGE_DELAY: { at: ['hedge', 'delay'], read: asDelay },
  HEDGE_MAX_SHARE: { at: ['hedge', 'maxShare'], read: asNumber },
  THROTTLE_MULTIPLIER: { at: ['throttle', 'multiplier'], read: asNumber },
  THROTTLE_WINDOW: { at: ['throttle', 'window'], read: asNumber },
  DEADLINE_TIMEOUT: { at: ['deadline', 'timeout'], read: asNumber },
  STREAMS_REBALANCE: { at: ['streams', 'rebalance'], read: asSwitch },
  CRITICALITY: { at: ['criticality'], read: asText },
  DEADLINE_INHERIT: { at: ['deadline', 'inherit'], read: asBoolean },
};

/** Options of `tls`. A provider can only be set in code. */
const TLS_OPTIONS: Readonly<Record<string, Option>> = {
  TLS_CA: { at: ['ca'], read: asText },
  TLS_CERT: { at: ['cert'], read: asText },
  TLS_KEY: { at: ['key'], read: asText },
  TLS_SERVER_NAME: { at: ['serverName'], read: asNames },
  TLS_SPIFFE_IDS: { at: ['spiffeIds'], read: asList },
  TLS_MIN_VERSION: { at: ['minVersion'], read: asText },
  TLS_REFRESH_INTERVAL: { at: ['refreshInterval'], read: asNumber },
  TLS_EXPIRY_WARNING: { at: ['expiryWarning'], read: asNumber },
  TLS_REPLACE_WITHIN: { at: ['replaceWithin'], read: asNumber },
};

/** The possible suffixes of `GRPC_LB_<CLIENT>_`. None is the end of another (`_SIZE` would be), so only one matches. */
export const VARIABLES: readonly string[] = ['TARGET', ...Object.keys(OPTIONS), ...Object.keys(TLS_OPTIONS)];

/** `GrpcLbClientOverrides` while it is read. */
interface Overrides {
  target?: string;
  targets?: string[];
  loadBalancing?: LoadBalancingOptions;
  tls?: TlsOptions;
}

/**
 * Reads `GRPC_LB_<CLIENT>_TARGET`, `_POLICY`, `_POOL_SIZE`, ... into the overrides of `GrpcLbModule.forRoot`. An empty
 * variable counts as absent. Faults are added to `faults`, with the variable as their path.
 */
export function readEnvironment(
  environment: Readonly<Record<string, unknown>>,
  faults: Fault[],
): Record<string, GrpcLbClientOverrides> {
  const overrides = new Map<string, Overrides>();
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith(PREFIX) || KUBERNETES_LINK.test(variable) || value === undefined || value === '') continue;
    if (PLACE.includes(variable)) continue;
    const rest = variable.slice(PREFIX.length);
    const suffix = VARIABLES.find((each) => `_${rest}`.endsWith(`_${each}`));
    if (suffix === undefined) {
      faults.push(unknownVariable(variable, rest));
      continue;
    }
    const client = rest.slice(0, -suffix.length - 1);
    if (client === '') {
      faults.push({
        path: variable,
        message: `has no client name; write ${PREFIX}<CLIENT>_${suffix}, with the name of the client in upper snake case`,
      });
      continue;
    }
    const entry = overrides.get(client) ?? {};
    overrides.set(client, entry);
    const text = typeof value === 'string' ? value : shown(value);
    if (suffix === 'TARGET') {
      const targets = targetsIn(text);
      rememberVariable(entry, variable);
      if (targets.length > 1) entry.targets = targets;
      else entry.target = text;
    } else {
      const [ofCalls, ofTls] = [OPTIONS[suffix], TLS_OPTIONS[suffix]];
      if (ofCalls)
        entry.loadBalancing = readOption(variable, ofCalls, text, LOAD_BALANCING, entry.loadBalancing, faults);
      if (ofTls) entry.tls = readOption(variable, ofTls, text, TLS, entry.tls, faults);
    }
  }
  return Object.fromEntries(overrides);
}

/** The options with the one that a variable sets; without it if it is invalid. */
function readOption<T extends object>(
  variable: string,
  { at, read }: Option,
  text: string,
  { check, merge }: Place<T>,
  before: T | undefined,
  faults: Fault[],
): T {
  const option = at.reduceRight((value: unknown, key) => ({ [key]: value }), read(text)) as T;
  const found: Fault[] = [];
  check('', option, found);
  // The variable replaces the whole path of the option; only the name of an option within its JSON remains in the path.
  const { length } = at.join('.');
  for (const { path, message } of found) {
    const within = path.slice(length).replace(/^\./, '');
    faults.push({ path: variable, message: within === '' ? message : `${within} ${message}` });
  }
  return merge(before, found.length > 0 ? ({} as T) : option);
}

function unknownVariable(variable: string, rest: string): Fault {
  const tail = (words: number): string => rest.split('_').slice(-words).join('_');
  const guesses = [1, 2, 3, 4].map((words) => didYouMean(tail(words), VARIABLES));
  const guess = [...guesses, didYouMean(variable, PLACE)].find((text) => text !== '') ?? '';
  const several = tail(1) === 'TARGETS' ? '; it takes several, separated by spaces' : '';
  return {
    path: variable,
    message: `(${shown(rest)}) is not a variable of this package${guess}${several}; the names after GRPC_LB_<CLIENT>_ are ${VARIABLES.join(', ')}`,
  };
}

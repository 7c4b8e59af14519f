import { type LoadBalancingOptions, loadBalancingCheck } from '../core/options/load-balancing.js';
import { didYouMean, type Fault, shown } from '../core/options/validation.js';
import type { GrpcLbClientOverrides } from '../nest/module-options.js';

const PREFIX = 'GRPC_LB_';

/** A text from the environment as the option it stands for; what cannot be read is left to the check of the option. */
type Reader = (text: string) => unknown;

const asNumber: Reader = (text) => (text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text));

/** A policy is its name, or its options as JSON: `{"name":"least_request","choiceCount":2}`. */
const asPolicy: Reader = (text) => {
  if (!text.trim().startsWith('{')) return text.trim();
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
};

const POOL_VARIABLES = {
  POOL_SIZE: 'size',
  POOL_MAX_SIZE: 'maxSize',
  POOL_MAX_CONCURRENT_STREAMS: 'maxConcurrentStreams',
  POOL_MAX_PENDING: 'maxPending',
  POOL_MAX_CONNECTION_AGE: 'maxConnectionAge',
  POOL_IDLE_TIMEOUT: 'idleTimeout',
  POOL_CONNECT_TIMEOUT: 'connectTimeout',
} as const;

/** What may stand behind `GRPC_LB_<CLIENT>_`. None ends as another does (`_SIZE` would), so only one can be meant. */
export const VARIABLES: readonly string[] = ['TARGET', 'POLICY', ...Object.keys(POOL_VARIABLES)];

/**
 * Reads `GRPC_LB_<CLIENT>_TARGET`, `_POLICY`, `_POOL_SIZE`, ... into the overrides of `GrpcLbModule.forRoot`. A variable
 * that is empty counts as absent. What is wrong is added to `faults`, with the variable as its path.
 */
export function readEnvironment(
  environment: Readonly<Record<string, unknown>>,
  faults: Fault[],
): Record<string, GrpcLbClientOverrides> {
  const overrides = new Map<string, { target?: string; loadBalancing?: LoadBalancingOptions }>();
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith(PREFIX) || value === undefined || value === '') continue;
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
        message: `names no client; write ${PREFIX}<CLIENT>_${suffix}, with the name of the client in upper snake case`,
      });
      continue;
    }
    const entry = overrides.get(client) ?? {};
    overrides.set(client, entry);
    const text = typeof value === 'string' ? value : shown(value);
    if (suffix === 'TARGET') entry.target = text;
    else
      entry.loadBalancing = {
        ...entry.loadBalancing,
        ...readOption(variable, suffix, text, entry.loadBalancing, faults),
      };
  }
  return Object.fromEntries(overrides);
}

function readOption(
  variable: string,
  suffix: string,
  text: string,
  so: LoadBalancingOptions = {},
  faults: Fault[],
): LoadBalancingOptions {
  const key = POOL_VARIABLES[suffix as keyof typeof POOL_VARIABLES] as string | undefined;
  const option = key === undefined ? { policy: asPolicy(text) } : { pool: { [key]: asNumber(text) } };
  const found: Fault[] = [];
  loadBalancingCheck('', option, found);
  // The variable stands for the whole path of the option; of a policy's own options the name is left to say.
  const stands = key === undefined ? '.policy.' : `.pool.${key}`;
  for (const { path, message } of found) {
    const within = path.slice(stands.length);
    faults.push({ path: variable, message: within === '' ? message : `${within} ${message}` });
  }
  if (found.length > 0) return {};
  return (key === undefined ? option : { pool: { ...so.pool, ...option.pool } }) as LoadBalancingOptions;
}

function unknownVariable(variable: string, rest: string): Fault {
  const tail = (words: number): string => rest.split('_').slice(-words).join('_');
  const guess = [1, 2, 3, 4].map((words) => didYouMean(tail(words), VARIABLES)).find((text) => text !== '') ?? '';
  return {
    path: variable,
    message: `(${shown(rest)}) is no variable of this package${guess}; after GRPC_LB_<CLIENT>_ there may be ${VARIABLES.join(', ')}`,
  };
}

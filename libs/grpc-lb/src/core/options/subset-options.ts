import type { Fault } from '../errors.js';
import { type Check, fields, integer, isObject, oneOf, shown } from './validation.js';

/** How a client chooses its subset. */
export type SubsetAlgorithm = 'random' | 'deterministic_aperture';

/** The subset of the endpoints that this client connects to. */
export interface SubsetOptions {
  /** Endpoints that this client uses, 1 to 1000; all of them if there are not more. */
  readonly size: number;
  /**
   * `random`: each client chooses its own (gRFC A68). `deterministic_aperture`: numbered clients share the endpoints
   * evenly, as in Finagle.
   *
   * @default `random`
   */
  readonly algorithm?: SubsetAlgorithm;
  /** The number of clients, 1 to 100000. Required with `deterministic_aperture`. */
  readonly clients?: number;
  /** The number of this client, from 0 to `clients` - 1. Required with `deterministic_aperture`. */
  readonly index?: number;
}

/** The subset in force. Only the aperture needs the number of the client. */
export type EffectiveSubsetOptions =
  | { readonly size: number; readonly algorithm: 'random' }
  | {
      readonly size: number;
      readonly algorithm: 'deterministic_aperture';
      readonly clients: number;
      readonly index: number;
    };

const WHERE_INDEX_IS =
  "of a StatefulSet the Downward API gives it: fieldPath metadata.labels['apps.kubernetes.io/pod-index'], as the variable GRPC_LB_<CLIENT>_SUBSET_INDEX";
const MOST_CLIENTS = 100_000;

const each = fields({
  size: integer({ min: 1, max: 1000 }),
  algorithm: oneOf(['random', 'deterministic_aperture']),
  clients: integer({ min: 1, max: MOST_CLIENTS }),
  index: integer({ min: 0, max: MOST_CLIENTS - 1 }),
});

/** Checks one layer of options, which another layer may complete. */
export const subsetCheck: Check = (path, value, faults) => {
  each(path, value, faults);
  if (!isObject(value)) return;
  const { clients, index } = value as SubsetOptions;
  if (typeof clients === 'number' && typeof index === 'number' && index >= clients) {
    faults.push({
      path: `${path}.index`,
      message: `is ${shown(index)}, of ${shown(clients)} clients; clients are numbered from 0 to ${clients - 1}: raise clients to the highest number of replicas`,
    });
  }
};

/** Checks that all layers together are complete. */
export function subsetGaps(path: string, options: SubsetOptions, faults: Fault[]): void {
  const { size, algorithm, clients, index } = options as Partial<SubsetOptions>;
  if (size === undefined) {
    faults.push({
      path: `${path}.size`,
      message: 'is missing; set the number of endpoints that this client uses, as in 20',
    });
  }
  if (algorithm === 'deterministic_aperture') {
    if (clients === undefined) {
      faults.push({
        path: `${path}.clients`,
        message: 'is missing; set the highest number of replicas of this client, which deterministic_aperture needs',
      });
    }
    if (index === undefined) {
      faults.push({ path: `${path}.index`, message: `is missing; deterministic_aperture needs it: ${WHERE_INDEX_IS}` });
    }
  } else if (algorithm === undefined && (clients !== undefined || index !== undefined)) {
    faults.push({
      path: `${path}.algorithm`,
      message: 'is missing; set "deterministic_aperture", to which clients and index belong, or remove them',
    });
  }
}

/** Expects valid and complete options. Undefined: no subset. */
export function effectiveSubset(options: SubsetOptions | undefined): EffectiveSubsetOptions | undefined {
  if (options === undefined) return undefined;
  const { size, algorithm, clients, index } = options;
  return algorithm === 'deterministic_aperture'
    ? { size, algorithm, clients: clients!, index: index! }
    : { size, algorithm: 'random' };
}

import { ChannelCredentials } from '@grpc/grpc-js';
import { type Fault, GrpcLbOptionsError } from '../../core/errors.js';
import { type Check, fields, integer, isObject, shown } from '../../core/options/validation.js';
import { bootstrapCheck, nodeCheck, type XdsBootstrap, type XdsNode } from './bootstrap.js';

/** What `edsSourceFactory` and `registerXds` take. */
export interface EdsSourceOptions {
  /**
   * The xDS bootstrap (gRFC A27): the path of its file, or its content.
   *
   * @default `GRPC_XDS_BOOTSTRAP` (a path) or `GRPC_XDS_BOOTSTRAP_CONFIG` (JSON) of the environment, as for other gRPC
   *   clients
   */
  readonly bootstrap?: string | XdsBootstrap;
  /**
   * How this client identifies itself to the control plane.
   *
   * @default the `node` of the bootstrap
   */
  readonly node?: XdsNode;
  /**
   * How to connect to the control plane.
   *
   * @default the `channel_creds` of the bootstrap
   */
  readonly credentials?: ChannelCredentials;
  /**
   * Milliseconds without an answer about a name after which it counts as unknown, 100 to 600000.
   *
   * @default 15000, as in gRPC
   */
  readonly resourceTimeout?: number;
  /**
   * The longest wait in milliseconds between two attempts to reach the control plane, ± 20 %, 1000 to 600000; the first
   * wait is 1 s, and each is 1.6 times the last.
   *
   * @default 30000
   */
  readonly maxReconnectBackoff?: number;
}

const bootstrap: Check = (path, value, faults) => {
  if (typeof value === 'string' && value !== '') return;
  if (isObject(value)) bootstrapCheck(path, value, faults);
  else faults.push({ path, message: `is ${shown(value)}; use the path of a file, or an object` });
};

const isCredentials: Check = (path, value, faults) => {
  if (value instanceof ChannelCredentials) return;
  faults.push({
    path,
    message:
      'are not ChannelCredentials of the @grpc/grpc-js that this package uses; create them with credentials.createSsl(), and check that "npm ls @grpc/grpc-js" shows one version',
  });
};

const check = fields({
  bootstrap,
  node: nodeCheck,
  credentials: isCredentials,
  resourceTimeout: integer({ min: 100, max: 600_000, unit: 'milliseconds' }),
  maxReconnectBackoff: integer({ min: 1000, max: 600_000, unit: 'milliseconds' }),
});

export type EffectiveEdsOptions = EdsSourceOptions &
  Required<Pick<EdsSourceOptions, 'resourceTimeout' | 'maxReconnectBackoff'>>;

/** Checks the options, all faults in one error, and fills in the defaults. */
export function effectiveEdsOptions(options: EdsSourceOptions): EffectiveEdsOptions {
  const faults: Fault[] = [];
  check('options', options, faults);
  if (faults.length > 0) throw new GrpcLbOptionsError('edsSourceFactory', faults);
  const { resourceTimeout = 15_000, maxReconnectBackoff = 30_000 } = options;
  return { ...options, resourceTimeout, maxReconnectBackoff };
}

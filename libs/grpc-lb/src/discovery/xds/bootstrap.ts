import { readFileSync } from 'node:fs';
import type { Fault } from '../../core/errors.js';
import { type Check, fields, isObject, listOf, shown } from '../../core/options/validation.js';

/** How a client identifies itself to its control plane (`envoy.config.core.v3.Node`). */
export interface XdsNode {
  /** Identifies this client, as in `checkout-1`. */
  readonly id: string;
  /** The cluster that this client belongs to. */
  readonly cluster?: string;
  /** Where this client runs. */
  readonly locality?: {
    /** As in `eu-central-1`. */
    readonly region?: string;
    /** As in `eu-central-1a`. */
    readonly zone?: string;
    /** A part of the zone, such as a rack. */
    readonly sub_zone?: string;
  };
  /** Any JSON. */
  readonly metadata?: object;
}

/** One control plane of the bootstrap. */
export interface XdsServer {
  /** As in `istiod.istio-system:15010`; any target of grpc-js, including `unix:`. */
  readonly server_uri: string;
  /**
   * Credentials in order of preference; the first supported type is used: `insecure`, or `tls` with the files of gRFC
   * A65.
   */
  readonly channel_creds: readonly { readonly type: string; readonly config?: object }[];
}

/** The part of the xDS bootstrap (gRFC A27) that `eds:` uses; other fields are ignored. */
export interface XdsBootstrap {
  /** The control planes; the first one is used. */
  readonly xds_servers: readonly XdsServer[];
  /** How this client identifies itself. */
  readonly node?: XdsNode;
}

const text: Check = (path, value, faults) => {
  if (typeof value !== 'string') faults.push({ path, message: `is ${shown(value)}; use a string` });
};
const filled: Check = (path, value, faults) => {
  if (typeof value === 'string' && value !== '') return;
  faults.push({ path, message: `is ${shown(value)}; use a non-empty string` });
};
const anyObject: Check = (path, value, faults) => {
  if (!isObject(value)) faults.push({ path, message: `is ${shown(value)}; use an object` });
};
const anything: Check = () => {};

/** The fields that are used here; other clients, which know more fields, share the bootstrap. */
function known(checks: Readonly<Record<string, Check>>, required: readonly string[]): Check {
  return (path, value, faults) => {
    if (!isObject(value)) return anyObject(path, value, faults);
    for (const key of required)
      if (!Object.hasOwn(value, key)) faults.push({ path: `${path}.${key}`, message: 'is missing; add it' });
    const used = Object.entries(value).filter(([key]) => Object.hasOwn(checks, key));
    fields(checks)(path, Object.fromEntries(used), faults);
  };
}

export const nodeCheck: Check = known(
  { id: filled, cluster: text, locality: known({ region: text, zone: text, sub_zone: text }, []), metadata: anyObject },
  ['id'],
);

const serverCheck = known(
  {
    server_uri: filled,
    channel_creds: listOf(known({ type: filled, config: anything }, ['type']), 'a list of objects with a type'),
  },
  ['server_uri', 'channel_creds'],
);

export const bootstrapCheck: Check = known(
  { xds_servers: listOf(serverCheck, 'a list of control planes'), node: nodeCheck },
  ['xds_servers'],
);

/** The bootstrap from the options or the environment; undefined if there is none. Faults are added to `faults`. */
export function readBootstrap(given: string | XdsBootstrap | undefined, faults: Fault[]): XdsBootstrap | undefined {
  if (isObject(given)) return given;
  const { GRPC_XDS_BOOTSTRAP: path, GRPC_XDS_BOOTSTRAP_CONFIG: content } = process.env;
  if (given) return readFile('bootstrap', given, faults);
  if (path) return readFile('GRPC_XDS_BOOTSTRAP', path, faults);
  return content ? parse('GRPC_XDS_BOOTSTRAP_CONFIG', content, faults) : undefined;
}

function readFile(path: string, file: string, faults: Fault[]): XdsBootstrap | undefined {
  try {
    return parse(path, readFileSync(file, 'utf8'), faults);
  } catch (error) {
    faults.push({ path, message: `names the file ${shown(file)}, which cannot be read: ${(error as Error).message}` });
    return undefined;
  }
}

/** The content may hold secrets, so it appears in no error. */
function parse(path: string, content: string, faults: Fault[]): XdsBootstrap | undefined {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    faults.push({
      path,
      message: 'is not JSON; see gRFC A27 (https://github.com/grpc/proposal) for the bootstrap file',
    });
    return undefined;
  }
  const before = faults.length;
  bootstrapCheck(path, value, faults);
  return faults.length === before ? (value as XdsBootstrap) : undefined;
}

import { isIPv6 } from 'node:net';
import type { Target } from '../../core/endpoint-source.js';
import type { TcpAddress } from '../../core/endpoint.js';
import { type Fault, GrpcLbOptionsError } from '../../core/errors.js';
import { oneOf, shown } from '../../core/options/validation.js';
import { hasSecrets } from '../../core/target-secrets.js';
import { readHostPort } from '../host-port.js';
import { readQuery } from '../query.js';
import { targetSubject } from '../target.js';
import { CONSISTENCIES, type ConsulConsistency, type EffectiveConsulOptions } from './consul-options.js';

/** The agent to ask, and the query. */
export interface ConsulService {
  readonly agent: TcpAddress;
  readonly name: string;
  readonly tags: readonly string[];
  readonly datacenter: string | undefined;
  readonly passing: boolean;
  readonly near: string | undefined;
  readonly consistency: ConsulConsistency;
}

const SHAPE = { tag: 'many', dc: 'once', passing: 'once', near: 'once', consistency: 'once' } as const;

/** `consul://agent:8500/orders?tag=v2&dc=eu`: the target wins over the options. */
export function readConsulTarget(target: Target, options: EffectiveConsulOptions): ConsulService {
  // Before all other checks, because an error quotes the target.
  if (hasSecrets(target.uri)) {
    const message =
      'has a token, a password or user info, but logs, snapshots and errors show targets: ' +
      'set the option token of registerConsul';
    throw new GrpcLbOptionsError(targetSubject(target), [{ path: 'target', message }]);
  }
  const faults: Fault[] = [];
  const { path: name, parameters } = readQuery(target.path, SHAPE, faults);
  if (!/^[^\s/:]+$/.test(name)) {
    const remedy = 'write the name alone, as Consul knows the ports of its instances';
    faults.push({ path: 'path', message: `is ${shown(name)}, which is not a service name; ${remedy}` });
  }
  const { dc, near, passing, consistency } = parameters;
  if (passing[0] !== undefined) oneOf(['true', 'false'])('query passing', passing[0], faults);
  if (consistency[0] !== undefined) oneOf(CONSISTENCIES)('query consistency', consistency[0], faults);
  const agent = readAgent(target.authority, options, faults);
  if (faults.length > 0) throw new GrpcLbOptionsError(targetSubject(target), faults);
  return {
    agent: agent!,
    name,
    tags: parameters.tag.length > 0 ? parameters.tag : options.tags,
    datacenter: dc[0] ?? options.datacenter,
    passing: passing[0] === undefined ? options.passing : passing[0] === 'true',
    near: near[0] ?? options.near,
    consistency: (consistency[0] as ConsulConsistency | undefined) ?? options.consistency,
  };
}

function readAgent(authority: string, { host, port }: EffectiveConsulOptions, faults: Fault[]): TcpAddress | undefined {
  if (authority !== '') return readHostPort('authority', authority, faults, { defaultPort: port });
  return readHostPort('options.host', isIPv6(host) ? `[${host}]` : host, faults, { defaultPort: port });
}

import { type Fault, GrpcLbOptionsError } from '../../core/errors.js';
import { boolean, type Check, fields, integer, listOf, oneOf, shown } from '../../core/options/validation.js';

/** What `consulSourceFactory` and `registerConsul` take. */
export interface ConsulSourceOptions {
  /**
   * Host of the agent, if the target has none: a name or an IP address.
   *
   * @default `127.0.0.1`
   */
  readonly host?: string;
  /**
   * The agent's HTTP port, 1 to 65535.
   *
   * @default 8500, or 8501 with `secure`
   */
  readonly port?: number;
  /**
   * Asks over HTTPS, and verifies the agent's certificate.
   *
   * @default false
   */
  readonly secure?: boolean;
  /**
   * The certificate authority that signed the agent's certificate, in PEM.
   *
   * @default those that Node trusts
   */
  readonly ca?: string | Buffer;
  /**
   * An ACL token that may read the service and its nodes. Never shown in a log, snapshot or error.
   *
   * @default none
   */
  readonly token?: string;
  /**
   * The datacenter to look in; `?dc=` in the target.
   *
   * @default the agent's own
   */
  readonly datacenter?: string;
  /**
   * Tags that instances must have, all of them; `?tag=` in the target, once for each.
   *
   * @default none
   */
  readonly tags?: readonly string[];
  /**
   * Whether all health checks of an instance must pass. With `false`, instances with a warning are used too, with the
   * weight that Consul gives them; instances with a critical check never are. `?passing=` in the target.
   *
   * @default true
   */
  readonly passing?: boolean;
  /**
   * Sorts instances by round-trip time from this node, or from the agent's node with `_agent`; `?near=` in the target.
   *
   * @default none
   */
  readonly near?: string;
  /**
   * Consistency mode of queries, `?consistency=` in the target: `default` asks the leader, `stale` any server, so that
   * discovery works without a leader, `consistent` a leader that has verified its leadership.
   *
   * @default `default`
   */
  readonly consistency?: ConsulConsistency;
  /**
   * Metadata key of the service, or else of the node, that holds the zone.
   *
   * @default `zone`
   */
  readonly zoneKey?: string;
  /**
   * Milliseconds for which a blocking query waits for a change, ± 10 %, 1000 to 600000.
   *
   * @default 60000
   */
  readonly wait?: number;
  /**
   * Timeout of a query in milliseconds, beyond the wait of a blocking query, 100 to 600000.
   *
   * @default 10000
   */
  readonly timeout?: number;
}

/** The consistency modes of Consul's queries. */
export type ConsulConsistency = 'default' | 'stale' | 'consistent';

/** Options without a default stay undefined. */
export type EffectiveConsulOptions = Required<Omit<ConsulSourceOptions, 'port' | Undefaulted>> &
  Pick<ConsulSourceOptions, Undefaulted> & { readonly port: number };

type Undefaulted = 'ca' | 'token' | 'datacenter' | 'near';

export const CONSISTENCIES: readonly ConsulConsistency[] = ['default', 'stale', 'consistent'];

const text: Check = (path, value, faults) => {
  if (typeof value === 'string' && value !== '') return;
  faults.push({ path, message: `is ${shown(value)}; use a non-empty string` });
};

/** Does not show the value. */
const token: Check = (path, value, faults) => {
  if (typeof value === 'string' && /^[!-~]+$/.test(value)) return;
  faults.push({ path, message: 'is not a string of printable ASCII characters; use the secret ID of an ACL token' });
};

const pem: Check = (path, value, faults) => {
  if (Buffer.isBuffer(value) || (typeof value === 'string' && value.includes('-----BEGIN'))) return;
  faults.push({ path, message: 'is not PEM; pass the text of the certificate, as readFileSync returns it' });
};

const check = fields({
  host: text,
  port: integer({ min: 1, max: 65_535 }),
  secure: boolean,
  ca: pem,
  token,
  datacenter: text,
  tags: listOf(text, 'an array of texts'),
  passing: boolean,
  near: text,
  consistency: oneOf(CONSISTENCIES),
  zoneKey: text,
  wait: integer({ min: 1000, max: 600_000, unit: 'milliseconds' }),
  timeout: integer({ min: 100, max: 600_000, unit: 'milliseconds' }),
});

/** Checks the options, all faults in one error, and fills in the defaults. */
export function effectiveConsulOptions(options: ConsulSourceOptions): EffectiveConsulOptions {
  const faults: Fault[] = [];
  check('options', options, faults);
  if (faults.length === 0 && options.ca !== undefined && !options.secure) {
    faults.push({ path: 'options.ca', message: 'has no effect without TLS; set secure: true, or remove this option' });
  }
  if (faults.length > 0) throw new GrpcLbOptionsError('consulSourceFactory', faults);
  const { secure = false, ...rest } = options;
  return {
    ...rest,
    secure,
    host: options.host ?? '127.0.0.1',
    port: options.port ?? (secure ? 8501 : 8500),
    tags: options.tags ?? [],
    passing: options.passing ?? true,
    consistency: options.consistency ?? 'default',
    zoneKey: options.zoneKey ?? 'zone',
    wait: options.wait ?? 60_000,
    timeout: options.timeout ?? 10_000,
  };
}

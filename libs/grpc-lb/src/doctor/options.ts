import type { ChannelOptions } from '@grpc/grpc-js';
import { type Fault, GrpcLbOptionsError } from '../core/errors.js';
import type { LoadBalancingOptions } from '../core/options/load-balancing.js';
import type { TlsOptions } from '../tls/options.js';
import { boolean, type Check, fields, integer, isObject, listOf, shown } from '../core/options/validation.js';

/** PEM contents for TLS. */
export interface DoctorTlsOptions {
  /**
   * Certificates of the authorities that the client trusts.
   *
   * @default the file that GRPC_DEFAULT_SSL_ROOTS_FILE_PATH names, as in grpc-js, or those of Node
   */
  readonly ca?: string | Buffer;
  /**
   * Certificate of the client.
   *
   * @default none
   */
  readonly cert?: string | Buffer;
  /**
   * Private key of that certificate.
   *
   * @default none
   */
  readonly key?: string | Buffer;
  /**
   * The name that the certificates of the servers must have, as in `grpc.ssl_target_name_override`.
   *
   * @default the host of the target
   */
  readonly serverName?: string;
}

/** The options of the client that is to use the target; what its item in `forFeature` has. */
export interface DoctorClientOptions {
  /**
   * Its load-balancing options. They are checked, and `pool` and `health` are compared with what servers allow.
   *
   * @default `{}`
   */
  readonly loadBalancing?: LoadBalancingOptions;
  /**
   * Its channel options: keepalive and proxies are compared with server and environment.
   *
   * @default `DEFAULT_CHANNEL_OPTIONS`
   */
  readonly channelOptions?: ChannelOptions;
  /**
   * Its option `tls`. Files are read and judged as the client does: the pair, the CAs, the time that is left.
   *
   * @default none; `tls` of the doctor comes first
   */
  readonly tls?: TlsOptions | false;
}

/** What `runDoctor` takes. */
export interface DoctorOptions {
  /** The target, as a client has it: `dns:///orders:50051`. */
  readonly target: string;
  /**
   * Whether the client uses TLS, and with which files.
   *
   * @default false
   */
  readonly tls?: boolean | DoctorTlsOptions;
  /**
   * Proto files: the server must have their services and methods.
   *
   * @default none
   */
  readonly proto?: string | readonly string[];
  /**
   * Folders in which imports of the proto files are searched.
   *
   * @default none: imports start at the folder of the file
   */
  readonly includeDirs?: readonly string[];
  /**
   * Services that the server must have, as in `orders.v1.Orders`.
   *
   * @default none
   */
  readonly services?: readonly string[];
  /**
   * Methods that the server must have, as in `orders.v1.Orders/Find`.
   *
   * @default none
   */
  readonly methods?: readonly string[];
  /**
   * Options of the client that is to use the target.
   *
   * @default `{}`
   */
  readonly client?: DoctorClientOptions;
  /**
   * Calls that the client makes at the same time, 1 to 1000000: the pool must have room for them.
   *
   * @default not compared
   */
  readonly concurrency?: number;
  /**
   * Only what a probe needs: discovery, connection, TLS, health, services and clock.
   *
   * @default false
   */
  readonly quick?: boolean;
  /**
   * Milliseconds for the whole run, 500 to 60000.
   *
   * @default 4500
   */
  readonly timeout?: number;
  /**
   * How many of the endpoints are examined, 1 to 1000, those of the first priorities first.
   *
   * @default 10
   */
  readonly maxEndpoints?: number;
  /**
   * A certificate that expires within this many days is a finding, 0 to 3650.
   *
   * @default 14
   */
  readonly expiryDays?: number;
  /**
   * Seconds that the clock of a server may differ from that of this host, 1 to 86400.
   *
   * @default 5
   */
  readonly maxClockSkew?: number;
  /**
   * The environment variables.
   *
   * @default `process.env`
   */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /**
   * The folder of the application whose packages are examined.
   *
   * @default `process.cwd()`
   */
  readonly cwd?: string;
}

/** What `tls.connect` takes of the options. */
export type TlsFiles = Pick<DoctorTlsOptions, 'ca' | 'cert' | 'key'>;

export type EffectiveDoctorOptions = Omit<DoctorOptions, 'tls'> &
  Required<
    Pick<DoctorOptions, 'quick' | 'timeout' | 'maxEndpoints' | 'expiryDays' | 'maxClockSkew' | 'env' | 'cwd'>
  > & {
    readonly services: readonly string[];
    readonly methods: readonly string[];
    readonly protos: readonly string[];
    /** Undefined without TLS. */
    readonly tls: DoctorTlsOptions | undefined;
  };

const text: Check = (path, value, faults) => {
  if (typeof value !== 'string' || value.trim() === '')
    faults.push({ path, message: `is ${shown(value)}; use a non-empty string` });
};

const texts: Check = (path, value, faults) => {
  if (Array.isArray(value)) value.forEach((each, i) => text(`${path}[${i}]`, each, faults));
  else text(path, value, faults);
};

/** Its value is a secret, or long. */
const pem: Check = (path, value, faults) => {
  if (!(typeof value === 'string' || Buffer.isBuffer(value)) || value.length === 0)
    faults.push({ path, message: 'is not a string or a buffer; use the content of a PEM file' });
};

const tlsFields = fields({ ca: pem, cert: pem, key: pem, serverName: text });

const tls: Check = (path, value, faults) => {
  if (typeof value !== 'boolean') tlsFields(path, value, faults);
};

const serviceName: Check = (path, value, faults) => {
  if (typeof value !== 'string' || !/^[\w.]+$/.test(value))
    faults.push({ path, message: `is ${shown(value)}; use the full name of a service, as in "orders.v1.Orders"` });
};

const methodName: Check = (path, value, faults) => {
  if (typeof value !== 'string' || !/^[\w.]+\/\w+$/.test(value))
    faults.push({ path, message: `is ${shown(value)}; use service and method, as in "orders.v1.Orders/Find"` });
};

const object: Check = (path, value, faults) => {
  if (!isObject(value)) faults.push({ path, message: `is ${shown(value)}; use an object` });
};

const check = fields({
  target: text,
  tls,
  proto: texts,
  includeDirs: listOf(text, 'a list of folders'),
  services: listOf(serviceName, 'a list of services'),
  methods: listOf(methodName, 'a list of methods'),
  // Its content is what the doctor examines.
  client: object,
  concurrency: integer({ min: 1, max: 1_000_000 }),
  quick: boolean,
  timeout: integer({ min: 500, max: 60_000, unit: 'milliseconds' }),
  maxEndpoints: integer({ min: 1, max: 1000 }),
  expiryDays: integer({ min: 0, max: 3650, unit: 'days' }),
  maxClockSkew: integer({ min: 1, max: 86_400, unit: 'seconds' }),
  env: object,
  cwd: text,
});

/** Checks the options, all faults in one error, and fills in the defaults. */
export function effectiveDoctorOptions(options: DoctorOptions): EffectiveDoctorOptions {
  const faults: Fault[] = [];
  check('', options, faults);
  if (isObject(options) && options.target === undefined)
    faults.push({ path: 'target', message: 'is missing; set where the endpoints are, as in dns:///orders:50051' });
  if (faults.length > 0) throw new GrpcLbOptionsError('runDoctor', faults);
  const { tls: files = false, proto = [], services = [], methods = [] } = options;
  return {
    ...options,
    protos: [proto].flat(),
    services,
    methods,
    quick: options.quick ?? false,
    timeout: options.timeout ?? 4500,
    maxEndpoints: options.maxEndpoints ?? 10,
    expiryDays: options.expiryDays ?? 14,
    maxClockSkew: options.maxClockSkew ?? 5,
    env: options.env ?? process.env,
    cwd: options.cwd ?? process.cwd(),
    tls: files === true ? {} : files === false ? undefined : files,
  };
}

import type { ChannelCredentials, ChannelOptions, Interceptor } from '@grpc/grpc-js';
import type { GrpcOptions } from '@nestjs/microservices';
import type { LoadBalancingOptions } from '../core/options/load-balancing.js';
import type { TlsOptions } from '../tls/options.js';
import type { GrpcLbServiceDefinition } from './definition/definition-types.js';
import type { ResumableMethod } from './streams/resumable-options.js';

/** Keepalive of the connections, under Nest's names: each is a channel option of grpc-js, and wins over it. */
export interface GrpcLbKeepaliveOptions extends NonNullable<GrpcOptions['options']['keepalive']> {
  /**
   * Milliseconds between two PINGs on a connection with open calls (`grpc.keepalive_time_ms`). Many servers end
   * connections that get more than one in five minutes (`too_many_pings`): set it lower only if the servers permit that.
   *
   * @default 330000
   */
  keepaliveTimeMs?: number;
  /**
   * Milliseconds in which that PING must be answered, before the connection is closed (`grpc.keepalive_timeout_ms`).
   *
   * @default 20000
   */
  keepaliveTimeoutMs?: number;
  /**
   * 1: PINGs also while no call is open (`grpc.keepalive_permit_without_calls`); many servers refuse these.
   *
   * @default 0
   */
  keepalivePermitWithoutCalls?: number;
}

/**
 * Options of a balanced client: those of Nest's gRPC transport, with the same meaning, and how to balance. The package
 * never modifies the object.
 */
// Those of Nest have no texts that editors could show, so they are declared again.
export interface GrpcLbClientOptions extends Omit<GrpcOptions['options'], 'credentials' | 'package' | 'url'> {
  /**
   * The services of generated code, in place of `package` and `protoPath`: neither a proto file nor proto-loader is
   * needed then. A class calls one service, a named item may call several.
   *
   * @default none: `package` and `protoPath` are required
   */
  readonly definition?: GrpcLbServiceDefinition | readonly GrpcLbServiceDefinition[];
  /** The package of the proto file, as in `orders.v1`, or packages. Required without `definition`. */
  readonly package?: string | string[];
  /**
   * The path of the proto file, or of several. A relative one starts at the working directory. Required without
   * `packageDefinition` and `definition`.
   */
  protoPath?: string | string[];
  /**
   * Options of proto-loader: `includeDirs` for imports, `keepCase` for names as in the proto file, `longs: String` for
   * 64-bit numbers, and others.
   *
   * @default those of proto-loader: names in lower camel case, 64-bit numbers as `Long`
   */
  loader?: NonNullable<GrpcOptions['options']['loader']>;
  /**
   * The package that loads proto files, looked up from the main script, then from the working directory.
   *
   * @default `@grpc/proto-loader`
   */
  protoLoader?: string;
  /**
   * What proto-loader returns, in place of `protoPath`.
   *
   * @default none
   */
  // As in Nest.
  // oxlint-disable-next-line typescript/no-explicit-any
  packageDefinition?: any;
  /**
   * Where the endpoints come from: `dns:///orders:50051`, `static:///a:1,b:2;weight=2`, or a bare `host:port`, which is
   * looked up by DNS. Exactly one of `target`, `url` and `targets` is required.
   */
  readonly target?: string;
  /**
   * The same as `target`, under Nest's name. A list of addresses (`['10.0.0.1:50051', '10.0.0.2:50051']`) shares the
   * calls, as `static:///10.0.0.1:50051,10.0.0.2:50051` does. Required without `target` and `targets`.
   */
  readonly url?: string | readonly string[];
  /**
   * 1 to 16 targets in order of preference: the endpoints of the first get all calls while they can take them, then
   * those of the second, and so on. Calls return as soon as the first can take them again. Required without `target` and
   * `url`.
   */
  readonly targets?: readonly string[];
  /**
   * Credentials of the connections, made with grpc-js. Cannot be set together with `tls`.
   *
   * @default insecure, as in Nest
   */
  readonly credentials?: ChannelCredentials;
  /**
   * TLS with certificates that may change while the client runs. `false`: none, whatever `forRoot` sets.
   *
   * @default that of `forRoot`
   */
  readonly tls?: TlsOptions | false;
  /**
   * Channel options of grpc-js, as in `{ 'grpc.default_compression_algorithm': 2 }`. Some have other defaults here: see
   * docs/guide/migration.md.
   *
   * @default `DEFAULT_CHANNEL_OPTIONS`
   */
  channelOptions?: ChannelOptions;
  /**
   * Keepalive of the connections. Not needed to find silent peers while calls wait: `loadBalancing.pool.pingAfter` does.
   *
   * @default a PING after 330 s on a connection with open calls
   */
  keepalive?: GrpcLbKeepaliveOptions;
  /**
   * Bytes that a request may have, up to 2147483647; -1: no limit. A longer one ends its call with RESOURCE_EXHAUSTED.
   *
   * @default -1
   */
  maxSendMessageLength?: number;
  /**
   * Bytes that a response may have, also after decompression, up to 2147483647; -1: no limit. A longer one ends its call
   * with RESOURCE_EXHAUSTED.
   *
   * @default 4194304
   */
  maxReceiveMessageLength?: number;
  /**
   * The channel option `grpc.max_metadata_size`, as in Nest; grpc-js 1.14 ignores it.
   *
   * @default none
   */
  maxMetadataSize?: number;
  /**
   * An option of servers. It is allowed because one object often serves both sides, and has no effect here.
   *
   * @default none
   */
  gracefulShutdown?: boolean;
  /**
   * An option of servers. It is allowed because one object often serves both sides, and has no effect here.
   *
   * @default none
   */
  onLoadPackageDefinition?: NonNullable<GrpcOptions['options']['onLoadPackageDefinition']>;
  /**
   * Client interceptors of grpc-js; they run after those of `channelOptions`. They see each call once, however many
   * attempts it has.
   *
   * @default `[]`
   */
  readonly interceptors?: readonly Interceptor[];
  /**
   * Methods whose streams resume and move. Elements are made by `resumable()`.
   *
   * @default `[]`
   */
  readonly resumable?: readonly ResumableMethod[];
  /**
   * Which endpoint gets a call, how many connections there are, health checks, retries and more.
   *
   * @default `{}`: `least_request`, with health checks, ejection and slow start
   */
  readonly loadBalancing?: LoadBalancingOptions;
}

/** What `@GrpcLbClient` takes. */
export interface GrpcLbClientDecoratorOptions extends GrpcLbClientOptions {
  /**
   * The name of the client in snapshots, events, errors and environment variables.
   *
   * @default the name of the class
   */
  readonly name?: string;
  /** The service of the package that the class calls, as named in the proto file. Required without `definition`. */
  readonly service?: string;
}

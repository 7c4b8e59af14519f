import type { ChannelCredentials, Interceptor } from '@grpc/grpc-js';
import type { GrpcOptions } from '@nestjs/microservices';
import type { LoadBalancingOptions } from '../core/options/load-balancing.js';
import type { TlsOptions } from '../tls/options.js';
import type { GrpcLbServiceDefinition } from './definition/definition-types.js';
import type { ResumableMethod } from './streams/resumable-options.js';

/**
 * Options of a balanced client: those of Nest's gRPC transport, with the same meaning, and how to balance. The package
 * never modifies the object.
 */
export interface GrpcLbClientOptions extends Omit<GrpcOptions['options'], 'credentials' | 'package' | 'url'> {
  /**
   * The services of generated code, in place of `package` and `protoPath`: neither a proto file nor proto-loader is
   * needed then. A class calls one service, a named item may call several.
   */
  readonly definition?: GrpcLbServiceDefinition | readonly GrpcLbServiceDefinition[];
  /** The package of the proto file, or packages. Required without `definition`. */
  readonly package?: string | string[];
  /**
   * Where the endpoints come from: `dns:///orders:50051`, `static:///a:1,b:2;weight=2`, or a bare `host:port`, which is
   * looked up by DNS. Exactly one of `target`, `url` and `targets` is required.
   */
  readonly target?: string;
  /**
   * The same as `target`, under Nest's name. A list of addresses (`['10.0.0.1:50051', '10.0.0.2:50051']`) shares the
   * calls, as `static:///10.0.0.1:50051,10.0.0.2:50051` does.
   */
  readonly url?: string | readonly string[];
  /**
   * 1 to 16 targets in order of preference: the endpoints of the first get all calls while they can take them, then
   * those of the second, and so on. Calls return as soon as the first can take them again.
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
  /** grpc-js client interceptors. They see each call once, however many attempts it has. */
  readonly interceptors?: readonly Interceptor[];
  /** Methods whose streams resume and move. Elements are made by `resumable()`. */
  readonly resumable?: readonly ResumableMethod[];
  /** How to balance. */
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

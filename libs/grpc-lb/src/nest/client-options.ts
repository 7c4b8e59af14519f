import type { ChannelCredentials, Interceptor } from '@grpc/grpc-js';
import type { GrpcOptions } from '@nestjs/microservices';
import type { LoadBalancingOptions } from '../core/options/load-balancing.js';

/**
 * A balanced client: the `options` that Nest's gRPC transport takes, with the same meaning, and how to balance.
 * The object is never written to.
 */
export interface GrpcLbClientOptions extends Omit<GrpcOptions['options'], 'credentials' | 'url'> {
  /**
   * Where the endpoints come from: `dns:///orders:50051`, `static:///a:1,b:2;weight=2`, or a bare `host:port`, which
   * is looked up by DNS. Required, here, as `url` or as `targets`.
   */
  readonly target?: string;
  /**
   * The same as `target`, by Nest's name; not both. Several addresses (`['10.0.0.1:50051', '10.0.0.2:50051']`) share the
   * calls, as those of `static:///10.0.0.1:50051,10.0.0.2:50051` do.
   */
  readonly url?: string | readonly string[];
  /**
   * Several targets, instead of one: the endpoints of the first get all calls while they can bear them, then those of the
   * second, and so on; calls return as soon as the first can bear them again. 1 to 16.
   */
  readonly targets?: readonly string[];
  /** How to reach the endpoints. Default: without TLS, as in Nest. */
  readonly credentials?: ChannelCredentials;
  /** grpc-js client interceptors; they see each call once, whatever the number of attempts. */
  readonly interceptors?: readonly Interceptor[];
  /** Which endpoint gets a call, and how many connections there are. */
  readonly loadBalancing?: LoadBalancingOptions;
}

/** What `@GrpcLbClient` takes. */
export interface GrpcLbClientDecoratorOptions extends GrpcLbClientOptions {
  /** The name of the client in snapshots, events, errors and environment variables. Default: the name of the class. */
  readonly name?: string;
  /** The service of the package that the class calls, as the proto file names it. */
  readonly service: string;
}

import {
  Adaptive,
  ConnectionPool,
  Deadline,
  GrpcLbClient,
  GrpcService,
  HealthCheck,
  Hedge,
  HotCold,
  InjectGrpcService,
  LeastRequest,
  leastRequest,
  OutlierEjection,
  PeakEwma,
  PickFirst,
  Resumable,
  Retry,
  RoundRobin,
  SlowStart,
} from 'nestjs-grpc-lb';
import { type Orders, OrdersClient } from '../orders.js';

const options = { package: 'orders.v1', protoPath: 'orders.proto', target: 'dns:///orders:50051' };

// error: 'protoPaht' does not exist in type 'GrpcLbClientDecoratorOptions'
@GrpcLbClient({ ...options, service: 'Orders', protoPaht: 'orders.proto' })
class Misspelt extends GrpcService<Orders>() {}

// error: Type 'number' is not assignable to type 'string'
@GrpcLbClient({ ...options, service: 'Orders', target: 50051 })
class NoTarget extends GrpcService<Orders>() {}

// error: Type 'string' is not assignable to type 'ChannelCredentials'
@GrpcLbClient({ ...options, service: 'Orders', credentials: 'secret' })
class NoCredentials extends GrpcService<Orders>() {}

// error: 'polcy' does not exist in type 'LoadBalancingOptions'
@GrpcLbClient({ ...options, service: 'Orders', loadBalancing: { polcy: leastRequest() } })
class NoPolicy extends GrpcService<Orders>() {}

// error: 'choiceCont' does not exist in type 'LeastRequestOptions'
leastRequest({ choiceCont: 2 });

// error: 'choiceCont' does not exist in type 'LeastRequestOptions'
@LeastRequest({ choiceCont: 2 })
class Choices extends GrpcService<Orders>() {}

// error: Type 'string' is not assignable to type 'number'
@LeastRequest({ choiceCount: '2' })
class TextChoices extends GrpcService<Orders>() {}

// error: 'name' does not exist in type 'LeastRequestOptions'
leastRequest({ name: 'round_robin' });

// error: Expected 0 arguments, but got 1
@RoundRobin({ choiceCount: 2 })
class TooMuch extends GrpcService<Orders>() {}

// error: Expected 0 arguments, but got 1
@Adaptive({ decayTime: 5 })
class TooAdaptive extends GrpcService<Orders>() {}

// error: 'decay' does not exist in type 'PeakEwmaOptions'
@PeakEwma({ decay: 5 })
class Peaks extends GrpcService<Orders>() {}

// error: 'quantile' does not exist in type 'HotColdOptions'
@HotCold({ quantile: 5 })
class Temperatures extends GrpcService<Orders>() {}

// error: 'pool' does not exist in type 'MethodOptions'
@GrpcLbClient({ ...options, service: 'Orders', loadBalancing: { methods: { Find: { pool: { size: 2 } } } } })
class PoolOfMethod extends GrpcService<Orders>() {}

// error: 'shuffle' does not exist in type 'PickFirstOptions'
@PickFirst({ shuffle: true })
class Shuffled extends GrpcService<Orders>() {}

// error: 'sise' does not exist in type 'ConnectionPoolOptions'
@ConnectionPool({ sise: 2 })
class Pool extends GrpcService<Orders>() {}

// error: Expected 1 arguments, but got 0
@ConnectionPool()
class NoPool extends GrpcService<Orders>() {}

// error: 'servise' does not exist in type 'HealthCheckOptions'
@HealthCheck({ servise: 'orders.v1.Orders' })
class Health extends GrpcService<Orders>() {}

// error: Type '"CANCELLED"' is not assignable to type
@OutlierEjection({ failureCodes: ['CANCELLED'] })
class Ejecting extends GrpcService<Orders>() {}

// error: 'agression' does not exist in type 'SlowStartOptions'
@SlowStart({ agression: 1 })
class Slow extends GrpcService<Orders>() {}

// error: Type 'number' is not assignable to type
@Retry({ retryableStatusCodes: [14] })
class Retrying extends GrpcService<Orders>() {}

// error: Type 'true' is not assignable to type 'false | RetryPolicyOptions'
@Retry({ methods: { Find: true } })
class RetryingMethods extends GrpcService<Orders>() {}

// error: Type '"p97"' is not assignable to type
@Hedge({ delay: 'p97' })
class Hedging extends GrpcService<Orders>() {}

// error: Type '1000' has no properties in common with type 'DeadlineOptions'
@Deadline(1000)
class Late extends GrpcService<Orders>() {}

// error: Expected 1 arguments, but got 0
@Deadline()
class NoDeadline extends GrpcService<Orders>() {}

class OnAMethod {
  // error: Unable to resolve signature of method decorator
  @LeastRequest()
  find(): void {}
}

class OnAProperty {
  // error: Unable to resolve signature of property decorator
  @ConnectionPool({ size: 2 })
  orders?: OrdersClient;
}

class Injecting {
  // error: Expected 2 arguments, but got 1
  constructor(@InjectGrpcService(OrdersClient) readonly orders: Orders) {}
}

declare const resume: never;

// error: Type '"watsh"' is not assignable to type '"find" | "watch" | "place" | "bargain"'
@Resumable<Orders>({ method: 'watsh', token: () => undefined, resume })
class MisspelledStream extends GrpcService<Orders>() {}

// error: Property 'sku' does not exist on type 'Order'
@Resumable<Orders>({ method: 'find', token: ({ sku }) => sku, resume: (request) => request })
class WrongToken extends GrpcService<Orders>() {}

// error: Property 'replay' is missing in type
@Resumable<Orders>({ method: 'bargain', token: () => undefined, resume })
class NothingReplayed extends GrpcService<Orders>() {}

export const streams = [MisspelledStream, WrongToken, NothingReplayed];

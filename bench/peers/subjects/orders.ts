import type { GrpcLbServiceDefinition } from 'nestjs-grpc-lb';
import type { Observable } from 'rxjs';
import { type GeneratedForm, generatedService } from '../generated/generate.js';
import { CREATED_AT, LIST_REQUEST, ORDER_PROTO, orderOf } from '../generated/orders.js';
import type { RunSpec } from '../run-spec.js';
import { balanced, callOf } from './nest.js';
import type { Subject } from './subject.js';

interface Orders {
  echo(order: object): Observable<object>;
  list(request: object): Observable<object>;
}

/** This package with messages by proto-loader, or by generated code. */
export async function orders(by: 'proto-loader' | GeneratedForm, spec: RunSpec): Promise<Subject> {
  const source =
    by === 'proto-loader'
      ? { package: 'bench.v1', protoPath: ORDER_PROTO }
      : { definition: (await generatedService(by)) as GrpcLbServiceDefinition };
  const { client, close } = await balanced('ORDERS', { ...source, loadBalancing: { policy: 'least_request' } }, spec);
  const stub = client.getService<Orders>('Orders');
  const order = orderOf(by === 'es' ? BigInt(CREATED_AT) : CREATED_AT);
  const isList = spec.kind === 'generated';
  return {
    say: () => callOf(isList ? stub.list(LIST_REQUEST) : stub.echo(order)),
    repeat: () => Promise.reject(new Error('it has no streams')),
    close,
  };
}

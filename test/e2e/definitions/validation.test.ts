import { loadSync } from '@grpc/proto-loader';
import { type Type } from '@nestjs/common';
import { GrpcLbClient, type GrpcLbClientOptions, GrpcLbModule, GrpcLbOptionsError, GrpcService } from 'nestjs-grpc-lb';
import { beforeAll, describe, expect, it } from 'vitest';
import { FORMS, generate, type Generated, serviceIn, SHOP_PROTO } from '../../support/definitions/generate.js';
import { startError } from '../../support/nest/app.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

let generated: Readonly<Record<string, Generated>>;
beforeAll(async () => {
  generated = await generate(FORMS);
});

async function faultsOf(client: Type | { name: string; options: GrpcLbClientOptions }): Promise<string[]> {
  const error = await startError({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([client])] });
  expect(error).toMatchObject({ code: 'GRPC_LB_INVALID_OPTIONS', subject: 'client SHOP' });
  return (error as GrpcLbOptionsError).faults.map(({ path, message }) => `${path} ${message}`);
}

const item = (options: object) => ({
  name: 'SHOP',
  options: { target: 'dns:///shop', ...options } as GrpcLbClientOptions,
});

const REMEDY =
  'use a service of generated code: OrdersService of ts-proto with outputServices=grpc-js, OrdersDefinition with outputServices=generic-definitions, or Orders of protoc-gen-es';

describe('a definition is refused', () => {
  class Orders {
    static readonly service = {};
  }
  const codec = { encode: () => ({ finish: () => new Uint8Array() }), decode: () => ({}) };
  const method = (type: object) => ({
    name: 'Find',
    requestType: type,
    requestStream: false,
    responseType: codec,
    responseStream: false,
  });
  const hostile = { path: '/a/B', requestStream: false, responseStream: false };
  it.each<[string, () => unknown, string]>([
    ['that is a text', () => 'Orders', `definition is "Orders"; ${REMEDY}`],
    ['that is undefined', () => undefined, `definition is undefined; is there a circular import? Otherwise ${REMEDY}`],
    ['that is empty', () => ({}), `definition has no methods; ${REMEDY}`],
    ['that is the class of a client', () => Orders, 'definition is the class Orders; use Orders.service'],
    [
      'that is a file',
      () => generated['protobuf-es']!['file_shop'],
      'definition is a descriptor of a file; use one of the services of the file, as in Orders of orders_pb',
    ],
    [
      'that is a message',
      () => generated['protobuf-es']!['OrderSchema'],
      `definition is a descriptor of a message; ${REMEDY}`,
    ],
    [
      'of @bufbuild/protobuf 1',
      () => ({ typeName: 'shop.v1.Orders', methods: {} }),
      'definition is the service shop.v1.Orders of @bufbuild/protobuf 1; generate it with protoc-gen-es 2',
    ],
    [
      'that is a package definition',
      () => loadSync(SHOP_PROTO),
      'definition is not a service; set what loadSync() returns as packageDefinition',
    ],
    [
      'without methods',
      () => ({ name: 'A', fullName: 'a.A', methods: {} }),
      'definition is the service a.A, which has no methods; use another one',
    ],
    [
      'with a method that is none',
      () => ({ name: 'A', fullName: 'a.A', methods: { find: null } }),
      'definition.methods.find is not a method of ts-proto, whose requestType and responseType have encode and decode; generate the code without outputEncodeMethods=false',
    ],
    [
      'with a method without codecs',
      () => ({ find: hostile }),
      `definition.find is not a method of grpc-js: it has the path "/a/B", and needs requestSerialize, responseDeserialize, requestStream and responseStream; ${REMEDY}`,
    ],
    [
      'of protobuf-es, with a method that is none',
      () => ({ ...generated['protobuf-es']!['Orders'], method: { find: null } }),
      `definition.method.find is not a method of protoc-gen-es 2, which has a name, a methodKind, an input and an output; ${REMEDY}`,
    ],
    [
      'of protobuf-es, with a method without a response',
      () => {
        const orders = generated['protobuf-es']!['Orders'] as { readonly method: Readonly<Record<string, object>> };
        return { ...orders, method: { find: { ...orders.method['find'], output: null } } };
      },
      `definition.method.find is not a method of protoc-gen-es 2, which has a name, a methodKind, an input and an output; ${REMEDY}`,
    ],
    [
      'with a fromPartial that cannot be called',
      () => ({ name: 'A', fullName: 'a.A', methods: { find: method({ ...codec, fromPartial: null }) } }),
      'definition.methods.find is not a method of ts-proto, whose requestType and responseType have encode and decode; generate the code without outputEncodeMethods=false',
    ],
    [
      'with a name that is part of a path',
      () => ({ name: 'A', fullName: 'a.A', methods: { find: { ...method(codec), name: 'Find/It' } } }),
      `definition has a method with the path "/a.A/Find/It", not /package.Service/Method; ${REMEDY}`,
    ],
    ['that is an empty list', () => [], 'definition is an empty list; set one service or several'],
  ])('%s', async (_, definition, fault) => {
    expect(await faultsOf(item({ definition: definition() }))).toEqual([fault]);
  });

  it('with two services of one name, or the methods of two services', async () => {
    const orders = serviceIn(generated['ts-proto, grpc-js']!);
    const stock = serviceIn(generated['ts-proto, grpc-js']!, 'Stock');
    expect(await faultsOf(item({ definition: [orders, orders] }))).toEqual([
      'definition[1] is the second service named Orders; declare a client of its own for it',
    ]);
    expect(await faultsOf(item({ definition: { ...orders, ...stock } }))).toEqual([
      'definition has methods of shop.v1.Orders and shop.v1.Stock; use one service, or a list of services',
    ]);
  });

  it('together with the options of proto files, each of which is a fault', async () => {
    const definition = serviceIn(generated['protobuf-es']!);
    const options = { definition, package: 'shop.v1', protoPath: 'shop.proto', loader: {} };
    expect(await faultsOf(item(options))).toEqual(
      ['package', 'protoPath', 'loader'].map(
        (name) => `${name} is set together with definition, which says it all; remove it`,
      ),
    );
  });
});

describe('a class', () => {
  it('has one definition, and no service beside it', async () => {
    const orders = serviceIn(generated['ts-proto, grpc-js']!);
    const stock = serviceIn(generated['ts-proto, grpc-js']!, 'Stock');
    const common = { name: 'SHOP', target: 'dns:///shop' };
    @GrpcLbClient({ ...common, definition: stock, service: 'Stock' })
    class Two extends GrpcService<object>(orders) {}
    @GrpcLbClient({ ...common, definition: [orders, stock] })
    class List extends GrpcService<object>() {}
    @GrpcLbClient(common)
    class Undefined extends GrpcService<object>(undefined) {}
    @GrpcLbClient(common)
    class None extends GrpcService<object>() {}
    expect(await faultsOf(Two)).toEqual([
      'definition is another one than that of GrpcService(); keep one of them',
      'service is set together with definition, which says it all; remove it',
    ]);
    expect(await faultsOf(List)).toEqual([
      'definition is a list; a class calls one service, so declare a class for each',
    ]);
    expect(await faultsOf(Undefined)).toEqual([
      `definition is undefined; is there a circular import? Otherwise ${REMEDY}`,
    ]);
    expect(await faultsOf(None)).toEqual([
      'service is undefined; set the service of the proto file',
      'package is missing; set the package of the proto file, as in orders.v1, or definition, a service of generated code',
      'protoPath is missing; set one of protoPath (a proto file), packageDefinition, and definition (a service of generated code)',
    ]);
  });
});

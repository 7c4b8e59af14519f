import { GrpcLbModule, GrpcLbRegistry, GrpcService, GrpcLbClient, Resumable, ringHash } from 'nestjs-grpc-lb';
import { createFleet, mockClient } from 'nestjs-grpc-lb/testing';
import { from, lastValueFrom, toArray } from 'rxjs';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { FORMS, generate, type Generated, serviceIn } from '../../support/definitions/generate.js';
import {
  type AnyMessage,
  type AnyShop,
  shopClient,
  shopFleet,
  startShop,
  startShopOf,
} from '../../support/definitions/shop.js';
import { startApp, startError } from '../../support/nest/app.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

let generated: Readonly<Record<string, Generated>>;
beforeAll(async () => {
  generated = await generate(FORMS);
});

describe.each(Object.keys(FORMS))('a client over %s', (form) => {
  const isEs = form === 'protobuf-es';
  /** Whether the definition has the options of a method, and the fields of a request. */
  const isDescribed = isEs || form.includes('generic');
  const zero = isEs ? 0n : 0;
  const request = (userId: string): object => ({ id: '', userId, since: zero });
  const call = (shop: AnyShop, name: string, userId = ''): Promise<AnyMessage> =>
    lastValueFrom(shop[name]!(request(userId)));
  const orders = () => serviceIn(generated[form]!);

  it('takes options of methods by their names in the proto file, and refuses others', async () => {
    const fleet = await shopFleet({ handlers: { getById: () => new Promise(() => {}) } });
    const retry = { retryableStatusCodes: ['NOT_FOUND'], initialBackoff: 1, maxBackoff: 1 } as const;
    const name = [{ service: 'shop.v1.Orders', method: 'GetByID' }];
    const { shop } = await startShopOf(fleet, orders(), {
      channelOptions: { 'grpc.service_config': JSON.stringify({ methodConfig: [{ name, timeout: '0.05s' }] }) },
      loadBalancing: { retry: { ...retry, maxAttempts: 2, methods: { Watch: { ...retry, maxAttempts: 3 } } } },
    });
    await expect(call(shop, 'getById')).rejects.toMatchObject({ code: 4 });
    fleet[0].fail('NOT_FOUND');
    await expect(call(shop, 'find')).rejects.toMatchObject({ code: 5 });
    await expect(call(shop, 'watch')).rejects.toMatchObject({ code: 5 });
    expect(fleet.attempts().map((each) => [each.method, each.attempts.length])).toEqual([
      ['/shop.v1.Orders/GetByID', 1],
      ['/shop.v1.Orders/Find', 2],
      ['/shop.v1.Orders/Watch', 3],
    ]);
    const misspelt = shopClient(orders(), fleet.target, {
      loadBalancing: { retry: { ...retry, methods: { Fnd: retry } } },
    });
    const { message } = await startError({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([misspelt])] });
    expect(message).toContain(
      'loadBalancing.retry.methods.Fnd is not a method of the client\'s services; did you mean "Find"?',
    );
  });

  it('hedges a method that the definition marks as idempotent, and one that the options name', async () => {
    const fleet = await shopFleet({ backends: 2 });
    // Both attempts at once.
    const loadBalancing = { hedge: { maxAttempts: 2, delay: 0, methods: { GetByID: true } } };
    const { shop } = await startShopOf(fleet, orders(), { loadBalancing });
    await call(shop, 'getById');
    await call(shop, 'find');
    const kinds = fleet.attempts().map((each) => each.attempts.map(({ kind }) => kind));
    expect(kinds).toEqual([['first', 'hedge'], isDescribed ? ['first', 'hedge'] : ['first']]);
  });

  it('hashes a field of a request by its name in generated code', async () => {
    const fleet = await shopFleet({
      backends: 3,
      handlers: { find: (_: unknown, { backend }) => ({ id: `${backend}` }) },
    });
    const loadBalancing = ringHash({ by: { field: 'userId' } });
    const { app, shop } = await startShopOf(fleet, orders(), { loadBalancing: { policy: loadBalancing } });
    const users = Array.from({ length: 30 }, (_, i) => `user-${i}`);
    const homes = async (): Promise<string[]> =>
      (await Promise.all(users.map((user) => call(shop, 'find', user)))).map(({ id }) => id);
    const first = await homes();
    expect(await homes()).toEqual(first);
    expect(new Set(first).size).toBe(3);
    const registry = app.get(GrpcLbRegistry);
    const { endpoints } = registry.explain('SHOP', { method: 'Find', key: users[0]! });
    expect(endpoints.find(({ chance }) => chance === 1)?.address).toBe(fleet.backend(Number(first[0])).address);
    expect(registry.get('SHOP').methods).toEqual(
      ['Find', 'Watch', 'Place', 'Bargain', 'GetByID'].map((name) => `/shop.v1.Orders/${name}`),
    );
  });

  it.runIf(isDescribed)('refuses a field that no request has', async () => {
    const policy = ringHash({ by: { field: 'user_id' } });
    const client = shopClient(orders(), 'dns:///shop.invalid', { loadBalancing: { policy } });
    const { message } = await startError({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([client])] });
    expect(message).toContain(
      'loadBalancing.policy.by.field is "user_id", but no request of the client\'s methods has "user_id"; did you mean "userId"?; they have id, userId, since',
    );
  });

  it('resumes a stream', async () => {
    const numbers = Array.from({ length: 6 }, (_, i) => `${i + 1}`);
    const fleet = await shopFleet({
      handlers: {
        async *watch({ id }: AnyMessage) {
          const rest = numbers.filter((each) => each > id);
          for (const each of rest.slice(0, 2)) yield { id: each };
          if (rest.length > 2) throw Object.assign(new Error('gone'), { code: 14 });
        },
      },
    });
    @GrpcLbClient({ target: fleet.target })
    @Resumable({
      method: 'watch',
      token: ({ id }: AnyMessage) => id,
      resume: (before: object, id: string) => ({ ...before, id }),
      initialBackoff: 1,
    })
    class ShopClient extends GrpcService<object>(orders()) {}
    const app = await startApp({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([ShopClient])] });
    const shop = app.get(ShopClient) as unknown as AnyShop;
    const messages = await lastValueFrom(shop['watch']!(request('')).pipe(toArray()));
    expect(messages.map(({ id }) => id)).toEqual(numbers);
  });

  it('is mocked, and answered in part', async () => {
    const client = shopClient(orders(), 'dns:///shop.invalid');
    const shop = mockClient(client, {
      find: ({ userId }: AnyMessage) => ({ id: userId as string }),
      watch: () => [{ id: '1' }, { id: '2' }],
    });
    expect(await call(shop, 'find', 'u1')).toMatchObject({ id: 'u1', total: zero, tags: [] });
    expect(await lastValueFrom(shop['watch']!(request('')).pipe(toArray()))).toMatchObject([{ id: '1' }, { id: '2' }]);
    await expect(call(shop, 'getById')).rejects.toMatchObject({ code: 12 });
    expect(() => mockClient(client, { fnd: () => ({}) } as object)).toThrow('did you mean "find"?');
  });

  it('calls a fleet that serves the same definition', async () => {
    const fleet = await createFleet({
      definition: orders(),
      handlers: {
        find: ({ userId }: AnyMessage) => ({ id: userId as string }),
        async *bargain(all: AsyncIterable<AnyMessage>) {
          for await (const { id } of all) yield { id: `${id}!` };
        },
      },
    });
    onTestFinished(() => fleet.close());
    const { shop } = await startShop(orders(), fleet.target);
    expect(await call(shop, 'find', 'u1')).toMatchObject({ id: 'u1', total: zero });
    const order = { id: 'a', total: zero, stamp: zero, state: 0, counts: {}, data: new Uint8Array(), tags: [] };
    const bargained = await lastValueFrom(shop['bargain']!(from([order, order])).pipe(toArray()));
    expect(bargained.map(({ id }) => id)).toEqual(['a!', 'a!']);
  });

  it('has several services on one channel, as a named item', async () => {
    const fleet = await shopFleet({ handlers: { count: () => ({ id: 'counted' }), find: () => ({ id: 'found' }) } });
    const definition = [orders(), serviceIn(generated[form]!, 'Stock')];
    const app = await startApp({
      imports: [
        GrpcLbModule.forRoot(),
        GrpcLbModule.forFeature([{ name: 'SHOP', options: { definition, target: fleet.target } }]),
      ],
    });
    const client = app.get(GrpcLbRegistry).get('SHOP');
    expect(await call(client.getService<AnyShop>('Stock'), 'count')).toMatchObject({ id: 'counted' });
    expect(await call(client.getService<AnyShop>('Orders'), 'find')).toMatchObject({ id: 'found' });
    expect(client.snapshot().endpoints).toHaveLength(1);
    expect(() => client.getService('Order')).toThrow(
      'service is "Order", which the definition does not have; did you mean "Orders"?; it has Orders, Stock',
    );
  });
});

import { GrpcLbClient, GrpcLbModule, GrpcPromiseService, iterate } from 'nestjs-grpc-lb';
import { from, lastValueFrom, toArray } from 'rxjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { FORMS, generate, type Generated, serviceIn } from '../../support/definitions/generate.js';
import { startApp } from '../../support/nest/app.js';
import { type AnyMessage, type AnyShop, shopFleet, startShop, startShopOf } from '../../support/definitions/shop.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

let generated: Readonly<Record<string, Generated>>;
beforeAll(async () => {
  generated = await generate(FORMS);
});

/** Requests with what `encode` of ts-proto needs; the others complete messages themselves. */
const request = (id: string, since: number | bigint = 0): object => ({ id, userId: 'u1', since });
const order = (id: string): object => ({
  id,
  total: 0,
  stamp: 0,
  state: 0,
  counts: {},
  data: new Uint8Array(),
  tags: [],
});
const part = (id: string): object => ({ id });

const handlers = {
  find: ({ id }: AnyMessage) => ({ id, total: '5' }),
  getById: ({ user_id: user }: AnyMessage) => ({ id: user as string }),
  watch: ({ id }: AnyMessage) => [1, 2, 3].map((n) => ({ id: `${id}${n}` })),
  place: async (orders: AsyncIterable<AnyMessage>) => {
    let id = '';
    for await (const each of orders) id += each.id;
    return { id };
  },
  async *bargain(orders: AsyncIterable<AnyMessage>) {
    for await (const { id } of orders) yield { id: `${id}!` };
  },
};

async function toList(messages: AsyncIterable<AnyMessage>): Promise<AnyMessage[]> {
  const list: AnyMessage[] = [];
  for await (const each of messages) list.push(each);
  return list;
}

const ids = (messages: readonly AnyMessage[]): string[] => messages.map(({ id }) => id);

describe.each(Object.keys(FORMS))('a client over %s', (form) => {
  const isEs = form === 'protobuf-es';
  const message = isEs || form.includes('generic') ? part : order;
  const find = (shop: AnyShop): Promise<AnyMessage> => lastValueFrom(shop['find']!(request('a', isEs ? 0n : 0)));

  it('makes calls of all four kinds to servers by proto-loader', async () => {
    const fleet = await shopFleet({ handlers });
    const { shop } = await startShop(serviceIn(generated[form]!), fleet.target);
    expect(await find(shop)).toMatchObject({ id: 'a', total: isEs ? 5n : 5 });
    const watched = shop['watch']!(request('b', isEs ? 0n : 0));
    expect(ids(await lastValueFrom(watched.pipe(toArray())))).toEqual(['b1', 'b2', 'b3']);
    expect(ids(await toList(iterate(watched)))).toEqual(['b1', 'b2', 'b3']);
    expect(await lastValueFrom(shop['place']!(from([message('c'), message('d')])))).toMatchObject({ id: 'cd' });
    const bargained = shop['bargain']!([message('e'), message('f')]).pipe(toArray());
    expect(ids(await lastValueFrom(bargained))).toEqual(['e!', 'f!']);
  });

  it('has Promises and async iterables, as the definition says which method streams', async () => {
    const fleet = await shopFleet({ handlers });
    @GrpcLbClient({ target: fleet.target })
    class PromisedShop extends GrpcPromiseService(serviceIn(generated[form]!)) {}
    const app = await startApp({
      imports: [GrpcLbModule.forRoot({ logging: false }), GrpcLbModule.forFeature([PromisedShop])],
    });
    const shop = app.get(PromisedShop) as Readonly<Record<string, (request: unknown) => unknown>>;
    expect(await shop['find']!(request('a', isEs ? 0n : 0))).toMatchObject({ id: 'a', total: isEs ? 5n : 5 });
    expect(await shop['place']!([message('c'), message('d')])).toMatchObject({ id: 'cd' });
    const watched = shop['watch']!(request('b', isEs ? 0n : 0)) as AsyncIterable<AnyMessage>;
    expect(ids(await toList(watched))).toEqual(['b1', 'b2', 'b3']);
    const bargained = shop['bargain']!([message('e'), message('f')]) as AsyncIterable<AnyMessage>;
    expect(ids(await toList(bargained))).toEqual(['e!', 'f!']);
  });

  it('has the name of a method in generated code, that of Nest, and that of the proto file', async () => {
    const fleet = await shopFleet({ handlers });
    const { shop } = await startShop(serviceIn(generated[form]!), fleet.target);
    for (const name of ['getByID', 'getById', 'GetByID']) {
      if (name === 'getByID' && !isEs && !form.includes('generic')) continue;
      expect(await lastValueFrom(shop[name]!(request('a', isEs ? 0n : 0)))).toMatchObject({ id: 'u1' });
    }
  });

  it('balances', async () => {
    const fleet = await shopFleet({ handlers, backends: 3 });
    const { shop } = await startShopOf(fleet, serviceIn(generated[form]!), {
      loadBalancing: { policy: { name: 'round_robin' } },
    });
    await Promise.all(Array.from({ length: 30 }, () => find(shop)));
    fleet.expectShares();
  });
});

import { Long } from '@grpc/proto-loader';
import { lastValueFrom } from 'rxjs';
import { beforeAll, expect, it } from 'vitest';
import { type Forms, generate, type Generated, serviceIn } from '../../support/definitions/generate.js';
import { type AnyMessage, shopFleet, startShop } from '../../support/definitions/shop.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

const GRPC_JS = 'outputServices=grpc-js,esModuleInterop=true,importSuffix=.js';

const OPTIONS = {
  number: ['ts_proto', GRPC_JS],
  long: ['ts_proto', `${GRPC_JS},forceLong=long`],
  string: ['ts_proto', `${GRPC_JS},forceLong=string,useDate=string,stringEnums=true`],
  bigint: ['ts_proto', `${GRPC_JS},forceLong=bigint,useDate=false,oneof=unions,useMapType=true`],
  nodeBytes: ['ts_proto', `outputServices=generic-definitions,esModuleInterop=true,importSuffix=.js,env=node`],
  snake: ['ts_proto', `${GRPC_JS},snakeToCamel=false,useOptionals=messages`],
  es: ['es', 'target=ts,import_extension=js'],
} satisfies Forms;

let generated: Readonly<Record<keyof typeof OPTIONS, Generated>>;
beforeAll(async () => {
  generated = await generate(OPTIONS);
});

/** 2^53 - 1, which a double can hold, and 2^60 + 1, which it cannot. */
const SAFE = '9007199254740991';
const LARGE = '1152921504606846977';

/** What a server by proto-loader answers. */
const answer = (total: string): object => ({
  id: 'a',
  total,
  stamp: total,
  state: 1,
  cash: 7,
  at: { seconds: '1700000000', nanos: 500_000_000 },
  took: { seconds: '3', nanos: 1 },
  extra: { fields: { a: { numberValue: 1 }, b: { listValue: { values: [{ stringValue: 'x' }, { nullValue: 0 }] } } } },
  note: { value: 'note' },
  counts: { x: 1, y: 2 },
  data: Buffer.from([1, 2, 255]),
  gift: '',
  tags: ['s', 't'],
  child: { id: 'b' },
});

/** What a client gets, and what the server gets when the client sends that back. */
async function roundTrip(
  form: keyof typeof OPTIONS,
  total: string,
): Promise<{ got: AnyMessage; back: AnyMessage | undefined }> {
  let back: AnyMessage | undefined;
  const fleet = await shopFleet({
    handlers: {
      find: () => answer(total),
      place: async (orders: AsyncIterable<AnyMessage>) => {
        for await (const each of orders) back = each;
        return {};
      },
    },
  });
  const { shop } = await startShop(serviceIn(generated[form]), fleet.target);
  const since = { number: 0, bigint: 0n, long: Long.ZERO, string: '0', nodeBytes: 0, snake: 0, es: 0n }[form];
  const got = await lastValueFrom(shop['find']!({ id: 'a', userId: '', user_id: '', since }));
  await lastValueFrom(shop['place']!([got]));
  return { got, back };
}

/** As proto-loader sees the answer. */
const sentBack = (total: string): object => ({
  ...answer(total),
  cash: 7,
  payment: 'cash',
  extra: expect.objectContaining({
    fields: expect.objectContaining({ a: expect.objectContaining({ numberValue: 1 }) }),
  }),
  gift: '',
  _gift: 'gift',
  child: expect.objectContaining({ id: 'b', total: '0', tags: [], at: null }),
});

const PLAIN = {
  id: 'a',
  state: 1,
  extra: { a: 1, b: ['x', null] },
  note: 'note',
  counts: { x: 1, y: 2 },
  data: new Uint8Array([1, 2, 255]),
  gift: '',
  tags: ['s', 't'],
};

it('of ts-proto are numbers, dates, plain objects and arrays, and go back as they came', async () => {
  const { got, back } = await roundTrip('number', SAFE);
  expect(got).toMatchObject({
    ...PLAIN,
    // grpc-js hands its definitions a Buffer, of which bytes are parts.
    data: Buffer.from([1, 2, 255]),
    total: Number(SAFE),
    stamp: Number(SAFE),
    cash: 7,
    at: new Date(1_700_000_000_500),
    took: { seconds: 3, nanos: 1 },
    child: { id: 'b', total: 0, state: 0, card: undefined, tags: [], counts: {}, at: undefined },
  });
  expect(back).toMatchObject(sentBack(SAFE));
});

it('of ts-proto with forceLong=long are Long', async () => {
  const { got, back } = await roundTrip('long', LARGE);
  expect(String(got['total'])).toBe(LARGE);
  expect(got['stamp']).toMatchObject({ unsigned: true, low: 1, high: 268_435_456 });
  expect(back).toMatchObject(sentBack(LARGE));
});

it('of ts-proto with forceLong=string, useDate=string and stringEnums are texts', async () => {
  const { got, back } = await roundTrip('string', LARGE);
  expect(got).toMatchObject({ total: LARGE, stamp: LARGE, state: 'STATE_OPEN', at: '2023-11-14T22:13:20.500Z' });
  expect(back).toMatchObject(sentBack(LARGE));
});

it('of ts-proto with forceLong=bigint, useDate=false, oneof=unions and useMapType are what these say', async () => {
  const { got, back } = await roundTrip('bigint', LARGE);
  expect(got).toMatchObject({
    total: BigInt(LARGE),
    at: { seconds: 1_700_000_000n, nanos: 500_000_000 },
    payment: { $case: 'cash', cash: 7 },
    counts: new Map(Object.entries({ x: 1, y: 2 })),
  });
  expect(back).toMatchObject(sentBack(LARGE));
});

it('of ts-proto with env=node have Buffers, and snakeToCamel=false keeps the names of the proto file', async () => {
  const { got, back } = await roundTrip('nodeBytes', SAFE);
  expect(got['data']).toEqual(Buffer.from([1, 2, 255]));
  expect(back).toMatchObject(sentBack(SAFE));
  const fleet = await shopFleet({ handlers: { find: ({ user_id: id }: AnyMessage) => ({ id }) } });
  const { shop } = await startShop(serviceIn(generated.snake), fleet.target);
  expect(await lastValueFrom(shop['find']!({ id: '', user_id: 'u1', since: 0 }))).toMatchObject({ id: 'u1' });
});

it('of protobuf-es are messages with bigints, oneofs as unions, JSON for Struct and plain values for wrappers', async () => {
  const { got, back } = await roundTrip('es', LARGE);
  expect(got).toMatchObject({
    ...PLAIN,
    $typeName: 'shop.v1.Order',
    total: BigInt(LARGE),
    payment: { case: 'cash', value: 7 },
    at: { $typeName: 'google.protobuf.Timestamp', seconds: 1_700_000_000n, nanos: 500_000_000 },
    child: { $typeName: 'shop.v1.Order', id: 'b', total: 0n, payment: { case: undefined }, tags: [] },
  });
  expect(got['data']).not.toBeInstanceOf(Buffer);
  expect(back).toMatchObject(sentBack(LARGE));
});

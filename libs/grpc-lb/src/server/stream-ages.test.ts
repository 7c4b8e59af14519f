import { expect, test } from 'vitest';
import { loadSync } from '@grpc/proto-loader';
import { ECHO_PROTO } from '../../../../test/support/echo/cluster.js';
import { decoratedAge, MaxStreamAge } from './max-stream-age.js';
import { effectiveStreamAge, type GrpcStreamAgeOptions } from './stream-age-options.js';
import { StreamAges } from './stream-ages.js';

const ages = (options: number | GrpcStreamAgeOptions | undefined, random = 0.5): StreamAges =>
  new StreamAges(effectiveStreamAge(options), () => random);

const WATCH = '/orders.v1.Orders/Watch';

test('without options no stream has an age', () => {
  expect(ages(undefined).draw(WATCH)).toBe(false);
});

test('a method wins over its decorator, that over its service, and that over the default', () => {
  const options = {
    default: 1000,
    methods: { 'orders.v1.Orders': 2000, 'orders.v1.Orders/Watch': 4000, 'orders.v1.Orders/Tail': false as const },
  };
  const all = ages(options);
  all.decorate('Orders', 'Watch', 3000);
  all.decorate('orders.v1.Orders', 'List', 3000);
  all.decorate('Orders', 'Count', false);
  const drawn = ['Watch', 'Tail', 'List', 'Count', 'Other'].map((method) => all.draw(`/orders.v1.Orders/${method}`));
  expect(drawn).toEqual([4000, false, 3000, false, 2000]);
  expect(all.draw('/users.v1.Users/Watch')).toBe(1000);
});

test('the age of each stream is up to a tenth longer or shorter, or as much as the option says', () => {
  expect(ages(10_000, 0).draw(WATCH)).toBe(9000);
  expect(ages(10_000, 0.999_999).draw(WATCH)).toBe(11_000);
  expect(ages({ default: 10_000, jitter: 0 }, 0).draw(WATCH)).toBe(10_000);
  expect(ages({ default: 10_000, jitter: 0.5 }, 0).draw(WATCH)).toBe(5000);
});

test('options of methods that the server does not have, or that are unary, are refused with what there is', () => {
  const check = (...names: string[]): void =>
    ages({ methods: Object.fromEntries(names.map((name) => [name, 1000])) }).check(
      loadSync(ECHO_PROTO),
      new Set(['echo.v1.Echo']),
    );
  check('echo.v1.Echo', 'echo.v1.Echo/Repeat', 'echo.v1.Echo/Join', 'echo.v1.Echo/Talk');
  expect(() => check('echo.v1.Echo/Say')).toThrow("maxStreamAge.methods['echo.v1.Echo/Say'] is a unary method");
  expect(() => check('echo.v1.Echo/Repeet')).toThrow('did you mean "echo.v1.Echo/Repeat"?');
  expect(() => check('__proto__x')).toThrow('use one of echo.v1.Echo, echo.v1.Echo/Repeat, echo.v1.Echo/Join');
});

test('a decorated method must be a stream', () => {
  const all = ages(undefined);
  const check = (): void => all.check(loadSync(ECHO_PROTO), new Set(['echo.v1.Echo']));
  all.decorate('Echo', 'Repeat', 1000);
  check();
  all.decorate('Echo', 'Say', 1000);
  expect(check).toThrow('@MaxStreamAge of echo.v1.Echo/Say: it is a unary method; only streams have an age');
});

test('the decorator keeps the metadata of other decorators, and refuses values that are not ages', () => {
  const handler = (): void => {};
  const key = 'microservices:pattern_extras';
  Reflect.defineMetadata(key, { other: 1 }, handler);
  class Controller {}
  const decorate = (age: unknown): unknown =>
    MaxStreamAge(age as number)(Controller.prototype, 'watch', { value: handler });
  decorate(5000);
  expect(Reflect.getMetadata(key, handler)).toMatchObject({ other: 1 });
  expect(decoratedAge(Reflect.getMetadata(key, handler))).toBe(5000);
  decorate(false);
  expect(decoratedAge(Reflect.getMetadata(key, handler))).toBe(false);
  expect(decoratedAge(undefined)).toBe(undefined);
  expect(() => decorate(5)).toThrow(/@MaxStreamAge on Controller\.watch.*age is 5; use a whole number from 1000/s);
});

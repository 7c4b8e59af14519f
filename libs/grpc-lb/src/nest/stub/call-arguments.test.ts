import { credentials, InterceptingCall, Metadata, propagate } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { GrpcLbArgumentError } from '../../core/errors.js';
import { NO_METADATA } from '../../grpc/call/attempt-headers.js';
import { ownOptionsIn } from '../../grpc/call/own-options.js';
import { INHERIT_ALWAYS } from '../../grpc/call/parent-call.js';
import { callArguments } from './call-arguments.js';

const RULES = { subject: 'client ORDERS, Orders/Find', intercepted: false, delegated: false };
const parse = (first?: unknown, second?: unknown, rules = RULES) => callArguments(rules, first, second);
const metadataOf = (first?: unknown, second?: unknown): Metadata => parse(first, second).metadata;
const ownOf = (options: object) => ownOptionsIn(metadataOf(options).getOptions());

function thrown(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('is allowed');
}

function fault(first: unknown, second?: unknown, rules = RULES): string {
  const error = thrown(() => callArguments(rules, first, second));
  expect(error).toBeInstanceOf(GrpcLbArgumentError);
  return (error as Error).message;
}

describe('the arguments of a call', () => {
  test('none share one object', () => {
    expect(parse()).toBe(parse(undefined, undefined));
    expect([parse({}).metadata, parse(undefined, {}).metadata]).toEqual([NO_METADATA, NO_METADATA]);
  });

  test('may be metadata, options, or both', () => {
    const metadata = new Metadata();
    const host = 'orders';
    expect(parse(metadata)).toMatchObject({ metadata, options: {} });
    expect(parse({ host }).options).toEqual({ host });
    expect(parse(metadata, { host })).toMatchObject({ metadata, options: { host } });
    expect(parse(undefined, { host }).options).toEqual({ host });
    expect(parse(null, { host }).options).toEqual({ host });
  });

  test('undefined options count as absent', () => {
    const { metadata, options } = parse({ timeout: undefined, metadata: undefined, retry: undefined, host: undefined });
    expect([metadata, options]).toEqual([NO_METADATA, {}]);
  });

  test('options of grpc-js that are null count as absent, as in grpc-js', () => {
    const nulls = { deadline: null, host: null, parent: null, credentials: null, interceptors: null };
    expect(parse({ ...nulls, propagate_flags: null, interceptor_providers: null }).options).toEqual({});
    expect(Number(parse({ timeout: 60_000, deadline: null }).options.deadline)).toBeGreaterThan(Date.now());
  });

  test('of timeout and deadline the earlier one applies', () => {
    const now = Date.now();
    const far = new Date(now + 60_000);
    expect(Number(parse({ timeout: 100, deadline: far }).options.deadline)).toBeLessThan(now + 50_000);
    expect(parse({ timeout: 120_000, deadline: far }).options.deadline).toBe(Number(far));
    expect(parse({ deadline: Infinity }).options.deadline).toBe(Infinity);
  });

  test('inherit becomes flags, and keeps those that are given', () => {
    expect(parse({ inherit: true }).options.propagate_flags).toBe(propagate.DEFAULTS | INHERIT_ALWAYS);
    const { propagate_flags } = parse({ inherit: false, propagate_flags: propagate.DEFAULTS }).options;
    expect(propagate_flags! & (propagate.DEADLINE | propagate.CANCELLATION)).toBe(0);
  });

  test('metadata may be an object: texts, bytes, several values; its options stay', () => {
    const given = { 'x-tenant': 'acme', 'x-many': ['a', 'b'], 'x-raw-bin': new Uint8Array([1]), 'x-none': undefined };
    const metadata = metadataOf({ metadata: given, waitForReady: true });
    expect(metadata.toHttp2Headers()).toEqual({ 'x-tenant': 'acme', 'x-many': ['a', 'b'], 'x-raw-bin': 'AQ==' });
    expect(metadata.getOptions()).toEqual({ waitForReady: true });
    const own = new Metadata({ corked: true });
    own.set('x-tenant', 'acme');
    const copy = metadataOf({ metadata: own, waitForReady: true });
    expect([copy.get('x-tenant'), copy.getOptions()]).toEqual([['acme'], { corked: true, waitForReady: true }]);
    expect(own.getOptions()).toEqual({ corked: true });
  });

  test('metadata of the caller stays as it is', () => {
    const metadata = new Metadata();
    const options = { criticality: 'sheddable', hashKey: 'a', waitForReady: true } as const;
    expect(metadataOf(metadata, options).get('x-criticality')).toEqual(['sheddable']);
    expect([metadata.getMap(), metadata.getOptions()]).toEqual([{}, {}]);
  });

  test('what only this package knows travels with the metadata, through copies', () => {
    const { metadata } = parse({
      retry: false,
      hedge: { maxAttempts: 2 },
      attemptTimeout: 50,
      hashKey: '',
      compression: 'gzip',
    });
    expect(ownOptionsIn(metadata.clone().clone().getOptions())).toEqual({
      hashKey: '',
      compression: 'gzip',
      limits: { retryAttempts: 1, hedgeAttempts: 2, attemptTimeout: 50 },
    });
    expect(ownOf({ attemptTimeout: false })?.limits).toEqual({ attemptTimeout: false });
    expect(ownOf({ criticality: 'critical' })).toBeUndefined();
    expect(metadata.toHttp2Headers()).toEqual({});
  });
});

describe('wrong options name the client, the method, the value and the remedy', () => {
  test.each<[object, string]>([
    [{ timeout: 0 }, 'timeout is 0; pass a number from 1 to 2147483647 (milliseconds)'],
    [{ timeout: Number.NaN }, 'timeout is NaN; pass a number from 1'],
    [{ timeout: '5s' }, 'timeout is "5s"; pass a number from 1'],
    [{ timeout: null }, 'timeout is null; pass a number from 1'],
    [
      { deadline: new Date(Number.NaN) },
      'deadline is null; pass a Date, or a number of milliseconds since 1970; or use timeout',
    ],
    [{ deadline: '2030-01-01' }, 'deadline is "2030-01-01"; pass a Date'],
    [{ deadline: 5000 }, 'deadline is 5000, a point in time in 1970; pass { timeout: 5000 } for milliseconds from now'],
    [{ signal: {} }, 'signal is another object; pass an AbortSignal, such as the signal of an AbortController'],
    [{ signal: new AbortController() }, 'signal is another object; pass an AbortSignal'],
    [{ onMetadata: 1 }, 'onMetadata is 1; pass a function, as in (metadata) => { ... }'],
    [{ onStatus: true }, 'onStatus is true; pass a function'],
    [{ inherit: 'no' }, 'inherit is "no"; pass true or false'],
    [{ waitForReady: 1 }, 'waitForReady is 1; pass true or false'],
    [{ hashKey: 7 }, 'hashKey is a number; pass a text'],
    [
      { retry: true },
      'retry is true; pass false, or { maxAttempts } for fewer attempts; all else is set for the client',
    ],
    [{ retry: { maxAttempts: 0 } }, 'retry.maxAttempts is 0; pass a whole number from 1 to 5'],
    [
      { retry: { maxAttempts: 2, initialBackoff: 5 } },
      'retry is {"maxAttempts":2,"initialBackoff":5}; pass false, or { maxAttempts }',
    ],
    [{ retry: {} }, 'retry.maxAttempts is undefined; pass a whole number from 1 to 5'],
    [{ hedge: 2 }, 'hedge is 2; pass false, or { maxAttempts } for fewer attempts'],
    [{ hedge: { maxAttempts: 6 } }, 'hedge.maxAttempts is 6; pass a whole number from 1 to 5'],
    [{ attemptTimeout: 0 }, 'attemptTimeout is 0; pass a number from 1 to 86400000 (milliseconds), or false'],
    [{ attemptTimeout: true }, 'attemptTimeout is true; pass a number from 1'],
    [{ criticality: 'high' }, 'criticality is "high"; pass one of sheddable, sheddable_plus, critical, critical_plus'],
    [{ compression: 'br' }, 'compression is "br"; pass gzip, deflate or identity'],
    [
      { credentials: credentials.createInsecure() },
      'credentials is another object; pass call credentials of @grpc/grpc-js',
    ],
    [{ host: 5 }, 'host is 5; pass a text'],
    [{ parent: {} }, 'parent is another object; pass the call that a handler of grpc-js gets'],
    [{ interceptors: () => {} }, 'interceptors is a function; pass a list of interceptors'],
    [{ metadata: 'x' }, 'metadata is a string; pass an object of texts, or a Metadata'],
    [{ metadata: { getMap: () => ({}) } }, 'metadata is another object; pass an object of texts, or a Metadata'],
    [{ metadata: new Map([['x-tenant', 'acme']]) }, 'metadata is another object; pass an object of texts'],
    [{ metadata: new Headers({ 'x-tenant': 'acme' }) }, 'metadata is another object; pass an object of texts'],
    [{ metadata: { 'x-tenant': 7 } }, 'metadata.x-tenant is a number; pass a text'],
    [{ metadata: { 'x-tenant': null } }, 'metadata.x-tenant is null; pass a text'],
    [{ metadata: { 'x-raw-bin': 'AQ==' } }, 'metadata.x-raw-bin is a string; pass a Buffer, as the name ends in -bin'],
    [{ metadata: { 'x-tenant': new Uint8Array(1) } }, 'metadata.x-tenant is bytes; pass a text'],
    [{ metadata: { 'x tenant': 'a' } }, 'metadata.x tenant is not valid; pass a key of letters'],
    [{ timeOut: 5 }, 'timeOut is not an option of calls; did you mean "timeout"?'],
    [{ retrys: false }, 'retrys is not an option of calls; did you mean "retry"?'],
    [{ authorization: 'Bearer 1' }, 'authorization is not an option of calls; headers go into options.metadata'],
  ])('%j', (options, message) => {
    expect(fault(options)).toContain(`client ORDERS, Orders/Find: options.${message}`);
  });

  test('of the arguments themselves, without their content', () => {
    expect(fault('x')).toBe('client ORDERS, Orders/Find: options is a string; pass an object, as in { timeout: 1000 }');
    expect(fault({ authorization: 'secret' }, {})).toBe(
      'client ORDERS, Orders/Find: metadata is another object; pass headers among the options, as in ' +
        "{ metadata: { 'x-tenant': 'acme' } }, or a Metadata of the @grpc/grpc-js that this package uses",
    );
    expect(fault(new Metadata(), { metadata: {} })).toBe(
      'client ORDERS, Orders/Find: options.metadata is set beside metadata; pass one of them',
    );
  });

  test('no message has the value of metadata, credentials or an unknown option', () => {
    for (const options of [
      { metadata: { 'x-token': 'topsecret\n' } },
      { metadata: 'topsecret' },
      { credentials: 'topsecret' },
      { 'x-token': 'topsecret' },
      { hashKey: ['topsecret'] },
    ])
      expect(fault(options)).not.toContain('topsecret');
  });

  test('interceptors may read options that nothing else knows', () => {
    const interceptors = [(options: never, next: (o: never) => InterceptingCall) => next(options)];
    expect(parse({ tenant: 1 }, undefined, { ...RULES, intercepted: true }).options).toEqual({ tenant: 1 });
    expect(parse({ tenant: 1, interceptors }).options).toEqual({ tenant: 1, interceptors });
  });

  test('with xds:, what has no effect is refused', () => {
    const delegated = { ...RULES, delegated: true };
    for (const options of [{ retry: false }, { hedge: false }, { attemptTimeout: 5 }, { compression: 'gzip' }]) {
      const [name] = Object.keys(options);
      expect(fault(options, undefined, delegated)).toBe(
        `client ORDERS, Orders/Find: options.${name} has no effect with a target of xds:, because grpc-js makes its calls; remove it`,
      );
    }
    expect(parse({ waitForReady: true, hashKey: 'a', timeout: 5 }, undefined, delegated).signal).toBeUndefined();
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { LoadBalancingOptions } from '../core/options/load-balancing.js';
import type { Fault } from '../core/errors.js';
import { checkMethodNames, methodsOf } from './methods.js';
import { loadServices } from './stub/service-definitions.js';

const folder = mkdtempSync(join(tmpdir(), 'methods-'));
afterAll(() => rmSync(folder, { recursive: true }));

const protoPath = join(folder, 'orders.proto');
writeFileSync(
  protoPath,
  `syntax = "proto3";
  package orders.v1;
  message Order {}
  service Orders {
    rpc Find (Order) returns (Order) { option deprecated = true; option idempotency_level = NO_SIDE_EFFECTS; }
    rpc Cancel (Order) returns (Order) { option idempotency_level = IDEMPOTENT; }
    rpc Place (Order) returns (Order);
    rpc Watch (Order) returns (stream Order);
    rpc Upload (stream Order) returns (Order);
  }`,
);

function services() {
  const faults: Fault[] = [];
  const found = loadServices('client TEST', { package: 'orders.v1', protoPath }, faults);
  expect(faults).toEqual([]);
  return found;
}

describe('the methods of a client', () => {
  test('know what they stream, and what the proto file says of running twice', () => {
    const methods = methodsOf(services()).map(({ method, requestStream, responseStream, idempotent }) => [
      method,
      requestStream,
      responseStream,
      idempotent,
    ]);
    expect(methods).toEqual([
      ['Find', false, false, true],
      ['Cancel', false, false, true],
      ['Place', false, false, false],
      ['Watch', false, true, false],
      ['Upload', true, false, false],
    ]);
  });

  test('may run twice only if something says so: generated definitions have no options', () => {
    const Generated = {
      service: { find: { path: '/orders.v1.Orders/Find', requestStream: false, responseStream: false } },
    };
    expect(methodsOf(new Map([['Orders', Generated as never]]))).toMatchObject([{ method: 'Find', idempotent: false }]);
  });
});

describe('methods in the options', () => {
  const METHODS = methodsOf(services());
  const faultsOf = (loadBalancing: unknown): string[] => {
    const faults: Fault[] = [];
    checkMethodNames(loadBalancing as LoadBalancingOptions, METHODS, faults);
    return faults.map(({ path, message }) => `${path} ${message}`);
  };

  test('exist, in every option that names them', () => {
    expect(faultsOf({ retry: { methods: { Find: false } }, hedge: { methods: { Find: true } } })).toEqual([]);
    const named = { methods: { Fnd: {} } };
    expect(faultsOf({ ...named, retry: named, hedge: named, deadline: named })).toEqual(
      ['retry.methods', 'hedge.methods', 'deadline.methods', 'methods'].map(
        (aspect) =>
          `loadBalancing.${aspect}.Fnd is not a method of the client's services; did you mean "Find"?; they have Find, Cancel, Place, Watch, Upload`,
      ),
    );
  });

  test('cannot be hedged if they stream requests', () => {
    for (const options of [true, {}, { delay: 5 }]) {
      expect(faultsOf({ hedge: { methods: { Watch: options, Upload: options } } })).toEqual([
        'loadBalancing.hedge.methods.Upload streams its requests, and cannot be hedged; remove it, and hedge only methods with a single request',
      ]);
    }
    expect(faultsOf({ hedge: { methods: { Upload: false } } })).toEqual([]);
  });

  test('that are not an object are left to the check of the options', () => {
    for (const hedge of [null, 5, { methods: ['Upload'] }, { methods: null }]) expect(faultsOf({ hedge })).toEqual([]);
    expect(faultsOf(undefined)).toEqual([]);
  });
});

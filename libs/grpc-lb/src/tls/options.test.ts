import { expect, test } from 'vitest';
import type { Fault } from '../core/errors.js';
import { tlsCheck } from './options.js';

function faultsOf(tls: unknown): Fault[] {
  const faults: Fault[] = [];
  tlsCheck('tls', tls, faults);
  return faults;
}

test('a switch in place of an object is told what to write', () => {
  expect(faultsOf(true)).toEqual([{ path: 'tls', message: 'is true; use {} for TLS with the CAs of Node' }]);
  expect(faultsOf(false)).toEqual([{ path: 'tls', message: 'is false; leave it out for a client without TLS' }]);
  expect(faultsOf({})).toEqual([]);
  expect(faultsOf('yes')[0]!.message).toMatch(/^is "yes"; use an object with ca, /);
});

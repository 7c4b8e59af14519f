import { describe, expect, test } from 'vitest';
import { faultsOf } from '../../../../../test/support/options/faults.js';
import { effectiveHealth, healthCheck } from './health-options.js';

describe('health', () => {
  test('by default is that of the whole server, and panic starts below half', () => {
    const defaults = { enabled: true, service: '', metadata: {}, panicThreshold: 50, overprovisioningFactor: 2 };
    for (const options of [undefined, {}, { enabled: undefined }])
      expect(effectiveHealth(options)).toStrictEqual(defaults);
    const metadata = { authorization: 'Bearer x' };
    const said = {
      enabled: false,
      service: 'orders.v1.Orders',
      metadata,
      panicThreshold: 0,
      overprovisioningFactor: 1,
    };
    expect(effectiveHealth(said)).toStrictEqual(said);
  });

  test('has a service that is a string, which may be empty', () => {
    expect(faultsOf(healthCheck, { service: '' })).toEqual([]);
    expect(faultsOf(healthCheck, { service: 1 })).toEqual([
      'at.service is 1; use a service name, as in "orders.v1.Orders"',
    ]);
  });
});

describe('the metadata of health', () => {
  test('has names and values', () => {
    const metadata = { authorization: 'Bearer secret', 'x-api-key': 'secret' };
    expect(faultsOf(healthCheck, { metadata })).toEqual([]);
  });

  test.each([
    'Authorization',
    'grpc-timeout',
    'token-bin',
    'te',
    'user-agent',
    'upgrade',
    'keep-alive',
    ':path',
    'a b',
    '',
  ])('cannot have the key %j', (key) => {
    const faults = faultsOf(healthCheck, { metadata: { [key]: 'secret' } });
    expect(faults).toEqual([expect.stringContaining('is not a valid metadata key')]);
  });

  test('is not shown in errors', () => {
    for (const metadata of [
      'secret',
      ['secret'],
      { a: 'sécret' },
      { a: 'secret\n' },
      { a: ['secret'] },
      { a: '' },
      { a: 1 },
    ])
      expect(faultsOf(healthCheck, { metadata }).join()).toMatch(/^at\.metadata(?!.*s.cret)/);
    expect(faultsOf(healthCheck, [{ metadata: { a: 'secret' } }]).join()).not.toContain('secret');
  });
});

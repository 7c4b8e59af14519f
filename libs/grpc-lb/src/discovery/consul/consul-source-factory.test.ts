import { describe, expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { GrpcLbOptionsError } from '../../core/errors.js';
import { createEndpointSource, registeredSchemes } from '../registry.js';
import { parseTarget } from '../target.js';
import { type ConsulSourceOptions, effectiveConsulOptions } from './consul-options.js';
import { readConsulTarget } from './consul-target.js';
import { consulSourceFactory, registerConsul } from './index.js';

const read = (uri: string, options: ConsulSourceOptions = {}) =>
  readConsulTarget(parseTarget(uri), effectiveConsulOptions(options));

function faultsOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof GrpcLbOptionsError) return error.message;
    throw error;
  }
  return 'none';
}

describe('a target', () => {
  test('has the agent in its authority, the service in its path, and the rest in its query', () => {
    expect(read('consul://agent:8600/orders?tag=v2&tag=eu&dc=dc2&passing=false&near=_agent&consistency=stale')).toEqual(
      {
        agent: { host: 'agent', port: 8600 },
        name: 'orders',
        tags: ['v2', 'eu'],
        datacenter: 'dc2',
        passing: false,
        near: '_agent',
        consistency: 'stale',
      },
    );
  });

  test('takes what it omits from the options', () => {
    const options = { host: '::1', port: 1, tags: ['v1'], datacenter: 'dc3', passing: false, near: 'n' } as const;
    expect(read('consul:///orders', { ...options, consistency: 'consistent' })).toEqual({
      agent: { host: '::1', port: 1 },
      name: 'orders',
      tags: ['v1'],
      datacenter: 'dc3',
      passing: false,
      near: 'n',
      consistency: 'consistent',
    });
  });

  test.each([
    ['consul:///orders', {}, { host: '127.0.0.1', port: 8500 }],
    ['consul:orders', {}, { host: '127.0.0.1', port: 8500 }],
    ['consul:///orders', { secure: true }, { host: '127.0.0.1', port: 8501 }],
    ['consul://agent/orders', { port: 1 }, { host: 'agent', port: 1 }],
    ['consul://[::1]:2/orders', { host: 'other' }, { host: '::1', port: 2 }],
  ])('%s with %j asks %j', (uri, options, agent) => {
    expect(read(uri, options).agent).toEqual(agent);
  });

  test.each([
    ['consul:///orders:50051', 'path is "orders:50051", which is not a service name; write the name alone'],
    ['consul:///a/b', 'path is "a/b"'],
    ['consul://agent:x/orders', 'authority is "agent:x", and "x" is not a port'],
    ['consul:///orders?passing=yes', 'query passing is "yes"; use one of true, false'],
    [
      'consul:///orders?consistency=stail',
      'query consistency is "stail"; use one of default, stale, consistent; did you',
    ],
    ['consul:///orders?tags=v2', 'query "tags" is not an option; did you mean "tag"?'],
  ])('%s is rejected', (uri, fault) => {
    expect(faultsOf(() => read(uri))).toContain(fault);
  });

  test('with a token is rejected without showing the token', () => {
    for (const query of ['token=SECRET', 'dc=a&token=SECRET&token=SECRET', 'token=a&dc=b&token=SECRET&Token=SECRET']) {
      const message = faultsOf(() => read(`consul:///orders?${query}`));
      expect(message).toContain(
        'target has a token, a password or user info, but logs, snapshots and errors show targets',
      );
      expect(message).not.toContain('SECRET');
    }
  });

  test.each([
    'consul://orders?token=SECRET',
    'consul:///orders?%74oken=SECRET',
    'consul:///orders?token=SECRET%zz',
    'consul:///orders?acl_token=SECRET',
    'consul:///orders/token=SECRET',
    'consul:///orders?token%3DSECRET',
    'consul://me:SECRET@agent/orders',
    'consul://me:SECRET@agent',
    'consul://SECRET%40agent/orders',
  ])('%s is rejected without showing the secret', (uri) => {
    registerConsul();
    const context = { clock: new FakeClock(), random: () => 0 };
    const message = faultsOf(() => createEndpointSource(parseTarget(uri), context));
    expect(message).toMatch(/an option is invalid/);
    expect(message).not.toContain('SECRET');
  });
});

describe('options', () => {
  test('are all checked when the factory is created', () => {
    const wrong = {
      host: '',
      port: 0,
      secure: 1,
      ca: 'x',
      token: 'SECRET\n',
      datacenter: 1,
      tags: 'v2',
      passing: 'true',
      near: '',
      consistency: 'strong',
      zoneKey: '',
      wait: 10,
      timeout: 1.5,
      datacentre: 'x',
    };
    const message = faultsOf(() => consulSourceFactory(wrong as never));
    for (const name of Object.keys(wrong)) expect(message).toContain(`options.${name} `);
    expect(message).toContain('did you mean "datacenter"?');
    expect(message).not.toContain('SECRET');
  });

  test('a certificate authority without TLS is an error', () => {
    expect(faultsOf(() => consulSourceFactory({ ca: '-----BEGIN CERTIFICATE-----' }))).toContain('set secure: true');
  });

  test('an invalid host is reported when a target needs it', () => {
    expect(faultsOf(() => read('consul:///orders', { host: 'a b' }))).toContain('options.host is "a b"');
    expect(read('consul://agent/orders', { host: 'a b' }).agent.host).toBe('agent');
  });
});

test('registerConsul may be called again, and sends no request', () => {
  registerConsul();
  registerConsul({ host: 'agent' });
  expect(registeredSchemes()).toContain('consul');
  const source = consulSourceFactory()(parseTarget('consul:///orders'), { clock: new FakeClock(), random: () => 0 });
  source.refresh();
  source.stop();
});

import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { registeredSchemes } from '../registry.js';
import { parseTarget } from '../target.js';
import { readFileTarget } from './file-target.js';
import { fileSourceFactory, registerFile } from './index.js';

describe('a target', () => {
  test.each([
    ['file:///etc/orders/endpoints.yaml', '/etc/orders/endpoints.yaml'],
    ['file:/etc/orders.yaml', '/etc/orders.yaml'],
    ['file://localhost/etc/orders.yaml', '/etc/orders.yaml'],
    ['file:///etc/my%20orders%3F.json', '/etc/my orders?.json'],
    ['file:///etc/a/../orders.yaml', '/etc/orders.yaml'],
    ['file:orders.yaml', resolve('orders.yaml')],
    ['file:./config/orders.yaml', resolve('config/orders.yaml')],
  ])('%s leads to %s', (uri, path) => {
    expect(readFileTarget(parseTarget(uri))).toBe(path);
  });

  test.each([
    ['file://etc/orders.yaml', 'authority is "etc", but file: reads only local files; write file:///etc/orders.yaml'],
    ['file:///etc/orders.yaml?poll=1', 'query "poll" is not an option; the options here are none'],
    ['file:///etc/orders%00', 'with a null character'],
    ['file:///etc/%zz', 'starts no escape'],
  ])('%s is rejected', (uri, fault) => {
    expect(() => readFileTarget(parseTarget(uri))).toThrow(fault);
  });
});

test('options are all checked when the factory is created', () => {
  const wrong = { pollInterval: 1, settleTime: -1, maxSize: 0, pollIntervall: 1 };
  const act = (): unknown => fileSourceFactory(wrong as never);
  for (const name of Object.keys(wrong)) expect(act).toThrow(`options.${name} `);
  expect(act).toThrow('did you mean "pollInterval"?');
});

test('registerFile may be called again, and touches no file', () => {
  registerFile();
  registerFile({ pollInterval: 1000 });
  expect(registeredSchemes()).toContain('file');
  const source = fileSourceFactory()(parseTarget('file:///nowhere'), { clock: new FakeClock(), random: () => 0 });
  source.refresh();
  source.stop();
});

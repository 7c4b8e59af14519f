import { Metadata, type MethodConfig, status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { UNKNOWN_CALL } from '../../core/policy/policy.js';
import { callOf, configSelector, selectorAttribute } from './config-selector.js';
import { CONFIG_SELECTOR_ATTRIBUTE } from '../experimental.js';

const service = 'orders.v1.Orders';
const OF_METHOD: MethodConfig = { name: [{ service, method: 'Find' }], timeout: { seconds: 1, nanos: 0 } };
const OF_SERVICE: MethodConfig = { name: [{ service: 'other.Service' }, { service }], waitForReady: true };
const OF_ALL: MethodConfig = { name: [{}], timeout: { seconds: 9, nanos: 0 } };
function invoke(configs: readonly MethodConfig[], path: string) {
  return configSelector(configs).invoke(path, new Metadata(), 0);
}

describe('the method config of a call', () => {
  test('is the most specific match, in any order', () => {
    for (const configs of [
      [OF_METHOD, OF_SERVICE, OF_ALL],
      [OF_ALL, OF_SERVICE, OF_METHOD],
    ]) {
      expect(invoke(configs, `/${service}/Find`).methodConfig).toBe(OF_METHOD);
      expect(invoke(configs, `/${service}/Place`).methodConfig).toBe(OF_SERVICE);
      expect(invoke(configs, '/a.B/Find').methodConfig).toBe(OF_ALL);
    }
  });

  test('is empty if none matches', () => {
    expect(invoke([OF_METHOD], '/a.B/Find').methodConfig).toEqual({ name: [] });
    expect(invoke([], 'odd').methodConfig).toEqual({ name: [] });
  });

  test('is the same for any of thousands of made-up methods', () => {
    const selector = configSelector([OF_ALL]);
    for (let i = 0; i < 3000; i++) expect(selector.invoke(`/a.B/${i}`, new Metadata(), 0).methodConfig).toBe(OF_ALL);
  });
});

describe('the call information that the picker gets', () => {
  test('has the method', () => {
    const { pickInformation } = invoke([], `/${service}/Find`);
    expect(callOf(pickInformation)).toEqual({ method: `/${service}/Find`, stream: false });
  });

  test('is a distinct object for each call, so that it identifies the attempts of that call', () => {
    const selector = configSelector([]);
    const [first, second] = [1, 2].map(() => selector.invoke(`/${service}/Find`, new Metadata(), 0));
    expect(first!.pickInformation).not.toBe(second!.pickInformation);
    expect(first).toMatchObject({ status: status.OK, dynamicFilterFactories: [] });
  });

  test('is UNKNOWN_CALL with the resolver of another library', () => {
    expect(callOf({})).toBe(UNKNOWN_CALL);
    expect(callOf({ method: '/made/up' })).toBe(UNKNOWN_CALL);
  });
});

test('the service config of the channel options applies', () => {
  const text = JSON.stringify({ methodConfig: [{ name: [{}], timeout: '0.25s' }] });
  const timeoutOf = (options: object): unknown =>
    selectorAttribute(options)[CONFIG_SELECTOR_ATTRIBUTE]!.invoke('/a.B/C', new Metadata(), 0).methodConfig.timeout;
  expect(timeoutOf({ 'grpc.service_config': text })).toEqual({ seconds: 0, nanos: 250_000_000 });
  expect(timeoutOf({})).toBeUndefined();
});

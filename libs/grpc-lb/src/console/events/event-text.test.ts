import { expect, test } from 'vitest';
import { eventText } from './event-text.js';

const endpoint = { client: 'ORDERS', time: 0, type: 'endpoint_state', address: 'a:1', reason: 'x' } as const;

test('states whose names say little have the words of the page', () => {
  expect(eventText({ ...endpoint, from: 'ready', to: 'not_serving' })).toEqual([
    'problem',
    'a:1 went from ready to not serving: x',
  ]);
  expect(eventText({ ...endpoint, from: 'connecting', to: 'transient_failure' })[1]).toBe(
    'a:1 went from connecting to unreachable (transient_failure): x',
  );
  expect(eventText({ ...endpoint, from: 'suspect', to: 'ready', reason: null })).toEqual([
    'good',
    'a:1 went from silent (suspect) to ready',
  ]);
  const client = { client: 'ORDERS', time: 0, type: 'client_state', from: 'ready', reason: 'x' } as const;
  expect(eventText({ ...client, to: 'transient_failure' })[1]).toBe(
    'the client went from ready to no endpoint (transient_failure): x',
  );
});

test('one is not many', () => {
  const text = (event: Parameters<typeof eventText>[0]): string => eventText(event)[1];
  const at = { client: 'ORDERS', time: 0 } as const;
  const listed = { ...at, type: 'discovery_updated', added: 1, removed: 0, target: 'dns:///orders' } as const;
  expect(text({ ...listed, total: 1 })).toBe('discovery lists 1 endpoint: 1 new, 0 gone');
  expect(text({ ...listed, total: 2 })).toBe('discovery lists 2 endpoints: 1 new, 0 gone');
  const leaving = { ...at, type: 'streams_leaving', address: 'a:1', reason: 'draining' } as const;
  expect(text({ ...leaving, streams: 1 })).toBe('1 stream leaves a:1: its server does not take new calls');
  expect(text({ ...leaving, streams: 3 })).toBe('3 streams leave a:1: its server does not take new calls');
  expect(text({ ...at, type: 'pool_saturated', pending: 1 })).toMatch(/: 1 call waits$/);
  expect(text({ ...at, type: 'pool_saturated', pending: 2 })).toMatch(/: 2 calls wait$/);
});

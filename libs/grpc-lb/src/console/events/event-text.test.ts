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

import { expect, test } from 'vitest';
import { AgedConnections } from './aged-connections.js';
import type { Connection } from './connection.js';

const connection = (health = 'serving', usable = true): Connection => ({ health, usable }) as Connection;

test('a connection retires with its replacement, once', () => {
  const aged = new AgedConnections();
  const [old, replacement] = [connection(), connection()];
  aged.add(old, () => replacement);
  expect([old, replacement].map((each) => aged.isBeingReplaced(each))).toEqual([true, false]);
  expect(aged.replacedBy(connection())).toEqual([]);
  expect(aged.replacedBy(replacement)).toEqual([old]);
  expect(aged.replacedBy(replacement)).toEqual([]);
});

test.each([
  ['serves', 'serving', true, 'serving', true],
  ['has no health service', 'serving', true, 'not_offered', true],
  ['does not serve', 'serving', true, 'not_serving', false],
  ['does not serve, as the old one', 'not_serving', true, 'not_serving', true],
  ['has not said yet whether it serves', 'serving', false, 'unknown', false],
])('a connection whose replacement %s', (_, old, usable, health, isReplaced) => {
  const aged = new AgedConnections();
  const [before, after] = [connection(old), connection(health, usable)];
  aged.add(before, () => after);
  expect(aged.replaced()).toEqual(isReplaced ? [before] : []);
  expect(aged.isBeingReplaced(before)).toBe(!isReplaced);
  expect(aged.replaced()).toEqual([]);
});

test('no second replacement is opened for a connection that ages again', () => {
  const aged = new AgedConnections();
  let opened = 0;
  const open = (): Connection => {
    opened++;
    return connection();
  };
  const old = connection();
  aged.add(old, open);
  aged.add(old, open);
  aged.replace(open);
  expect(opened).toBe(1);
});

test('a replacement that is lost says so, and another one takes its place', () => {
  const aged = new AgedConnections();
  const [old, first, second] = [connection(), connection(), connection()];
  aged.add(old, () => first);
  expect(aged.forget(first)).toBe(true);
  expect(aged.isBeingReplaced(old)).toBe(false);
  aged.replace(() => second);
  expect(aged.replacedBy(first)).toEqual([]);
  expect(aged.replacedBy(second)).toEqual([old]);
});

test('an aged connection that is lost needs no replacement', () => {
  const aged = new AgedConnections();
  const [old, replacement] = [connection(), connection()];
  aged.add(old, () => replacement);
  expect(aged.forget(old)).toBe(false);
  expect(aged.replacedBy(replacement)).toEqual([]);
});

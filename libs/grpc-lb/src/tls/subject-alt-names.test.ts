import { expect, test } from 'vitest';
import { subjectAltNames } from './subject-alt-names.js';

test.each([
  ['DNS:orders, IP Address:10.0.0.1', ['DNS orders', 'IP Address 10.0.0.1']],
  ['URI:spiffe://a/b', ['URI spiffe://a/b']],
  ['IP Address:0:0:0:0:0:0:0:1', ['IP Address 0:0:0:0:0:0:0:1']],
  [undefined, []],
  ['', []],
])('%s', (text, names) => {
  expect(subjectAltNames(text).map(({ kind, value }) => `${kind} ${value}`)).toEqual(names);
});

test.each([
  // A value that contains what separates names is one name.
  ['DNS:"a, URI:spiffe://good/id"', ['DNS a, URI:spiffe://good/id']],
  [String.raw`DNS:"a\", URI:spiffe://good/id", DNS:b`, ['DNS a", URI:spiffe://good/id', 'DNS b']],
  // What cannot be understood ends the list.
  ['DNS:"a" URI:spiffe://good/id', []],
  ['DNS:"a', ['DNS "a']],
  ['nonsense', []],
])('hostile: %s', (text, names) => {
  expect(subjectAltNames(text).map(({ kind, value }) => `${kind} ${value}`)).toEqual(names);
});

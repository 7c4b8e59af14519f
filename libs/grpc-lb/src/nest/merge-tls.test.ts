import { expect, test } from 'vitest';
import { mergeTls } from './merge-tls.js';

const provider = () => ({});

test.each([
  [undefined, undefined, undefined],
  [{ ca: 'a' }, undefined, { ca: 'a' }],
  [undefined, { ca: 'a' }, { ca: 'a' }],
  [{ ca: 'a', replaceWithin: 5 }, { ca: 'b' }, { ca: 'b', replaceWithin: 5 }],
  [{ ca: 'a' }, { ca: undefined, cert: 'c' }, { ca: 'a', cert: 'c' }],
  [{ ca: 'a' }, false, false],
  [false, { ca: 'a' }, { ca: 'a' }],
  [{ ca: 'a', cert: 'c', key: 'k' }, { provider }, { ca: 'a', provider }],
  [{ provider }, { cert: 'c', key: 'k' }, { cert: 'c', key: 'k' }],
  [{ cert: 'c', key: 'k' }, { key: 'other' }, { cert: 'c', key: 'other' }],
] as const)('%j and %j are %j', (base, over, merged) => expect(mergeTls(base, over)).toEqual(merged));

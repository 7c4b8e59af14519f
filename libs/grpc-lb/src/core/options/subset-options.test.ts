import { describe, expect, test } from 'vitest';
import { faultsOf } from '../../../../../test/support/options/faults.js';
import { effectiveSubset, subsetCheck } from './subset-options.js';

describe('subset', () => {
  test('is random by default, and undefined if it is not configured', () => {
    expect(effectiveSubset(undefined)).toBeUndefined();
    expect(effectiveSubset({ size: 20 })).toStrictEqual({ size: 20, algorithm: 'random' });
    const aperture = { size: 20, algorithm: 'deterministic_aperture', clients: 10, index: 9 } as const;
    expect(effectiveSubset(aperture)).toStrictEqual(aperture);
    expect(effectiveSubset({ ...aperture, algorithm: 'random' })).toStrictEqual({ size: 20, algorithm: 'random' });
  });

  test('needs a client index below the number of clients', () => {
    expect(faultsOf(subsetCheck, { clients: 10, index: 9 })).toEqual([]);
    expect(faultsOf(subsetCheck, { clients: 10, index: 10 })).toEqual([
      'at.index is 10, of 10 clients; clients are numbered from 0 to 9: raise clients to the highest number of replicas',
    ]);
  });

  test('needs a known algorithm', () => {
    expect(faultsOf(subsetCheck, { algorithm: 'deterministic' })).toEqual([
      'at.algorithm is "deterministic"; use one of random, deterministic_aperture; did you mean "deterministic_aperture"?',
    ]);
  });
});

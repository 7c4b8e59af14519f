import { expect, test } from 'vitest';
import { POLICY_NAMES } from '../../../../libs/grpc-lb/src/core/options/policy-config.js';
import { FlagError, HELP, readFlags } from './flags.js';

/** Ring hash needs a hash key, and there is no flag for that. */
const POLICIES = POLICY_NAMES.filter((name) => name !== 'ring_hash');

/** The error that the user sees. */
function complaint(...args: string[]): string {
  try {
    readFlags(args);
  } catch (error) {
    if (error instanceof FlagError) return error.message;
    throw error;
  }
  return '';
}

test('without flags the demo runs five backends indefinitely', () => {
  expect(readFlags([])).toEqual({
    seconds: null,
    baselineSeconds: null,
    json: null,
    policy: 'least_request',
    rate: 240,
    deadlineMs: 5000,
    backends: 5,
    slow: 3,
    delayMs: 20,
    slots: 4,
    errorRate: 0,
    port: null,
  });
});

test('a flag takes its value after a blank or an equals sign', () => {
  expect(readFlags(['--seconds', '20', '--json=summary.json'])).toMatchObject({ seconds: 20, json: 'summary.json' });
});

test.each(POLICIES)('the policy %s of the package is available in the demo, and help lists it', (policy) => {
  expect(readFlags(['--policy', policy])).toMatchObject({ policy });
  expect(HELP.split(/[\s,]+/)).toContain(policy);
});

test.each(['ring_hash', 'toString'])('%s is not a policy of the demo', (name) => {
  expect(complaint('--policy', name)).toBe(`--policy ${name}: use one of ${POLICIES.join(', ')}`);
});

test.each(['--help', '-h'])('%s shows help, whatever the other flags', (flag) => {
  expect(readFlags(['--rate', 'x', flag])).toBeNull();
});

test('all faults are reported at once', () => {
  expect(complaint('--rate', '0', '--slots', '1.5', '--policy', 'best', '--fast', 'now', '--json').split('\n')).toEqual(
    [
      '--fast is not a flag',
      '"now" is not a flag',
      '--json needs a value',
      '--rate 0: use a number from 1 to 5000',
      '--slots 1.5: use a whole number from 1 to 10000',
      `--policy best: use one of ${POLICIES.join(', ')}`,
    ],
  );
});

test('the first phase must leave time for the second', () => {
  expect(complaint('--seconds', '10', '--baseline-seconds', '10')).toContain('leaves no time for the second phase');
  expect(complaint('--seconds', '10', '--baseline-seconds', '9')).toBe('');
});

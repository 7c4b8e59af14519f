import { expect, test } from 'vitest';
import { POLICY_NAMES } from '../../../../libs/grpc-lb/src/core/options/policy-config.js';
import { FlagError, HELP, readFlags } from './flags.js';

/** Ring hash has to be told what calls are kept together by, and there is no flag for that. */
const POLICIES = POLICY_NAMES.filter((name) => name !== 'ring_hash');

/** What the user is told. */
function complaint(...args: string[]): string {
  try {
    readFlags(args);
  } catch (error) {
    if (error instanceof FlagError) return error.message;
    throw error;
  }
  return '';
}

test('without flags, five backends without end', () => {
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

test.each(POLICIES)('the policy %s of the package is one of the demo, and help names it', (policy) => {
  expect(readFlags(['--policy', policy])).toMatchObject({ policy });
  expect(HELP.split(/[\s,]+/)).toContain(policy);
});

test.each(['ring_hash', 'toString'])('%s is no policy of the demo', (name) => {
  expect(complaint('--policy', name)).toBe(`--policy ${name}: give one of ${POLICIES.join(', ')}`);
});

test.each(['--help', '-h'])('%s asks for help, whatever else is said', (flag) => {
  expect(readFlags(['--rate', 'x', flag])).toBeNull();
});

test('all faults are named at once', () => {
  expect(complaint('--rate', '0', '--slots', '1.5', '--policy', 'best', '--fast', 'now', '--json').split('\n')).toEqual(
    [
      '--fast is not known',
      '"now" is not a flag',
      '--json needs a value',
      '--rate 0: give a number from 1 to 5000',
      '--slots 1.5: give a whole number from 1 to 10000',
      `--policy best: give one of ${POLICIES.join(', ')}`,
    ],
  );
});

test('the first phase has to leave time for the second', () => {
  expect(complaint('--seconds', '10', '--baseline-seconds', '10')).toContain('leaves no time for the second phase');
  expect(complaint('--seconds', '10', '--baseline-seconds', '9')).toBe('');
});

import { expect, test } from 'vitest';
import { FlagError, readFlags } from './flags.js';

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
      '--policy best: give one of least_request, round_robin, random, pick_first',
    ],
  );
});

test('the first phase has to leave time for the second', () => {
  expect(complaint('--seconds', '10', '--baseline-seconds', '10')).toContain('leaves no time for the second phase');
  expect(complaint('--seconds', '10', '--baseline-seconds', '9')).toBe('');
});

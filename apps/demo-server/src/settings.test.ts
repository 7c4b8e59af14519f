import { expect, test } from 'vitest';
import { readSettings } from './settings.js';

test('the default is one backend on the default port', () => {
  expect(readSettings([], {})).toEqual({
    port: 50051,
    delayMs: 20,
    slots: 4,
    factor: 1,
    errorRate: 0,
    metricsPort: 0,
  });
});

test('flags take precedence over the environment', () => {
  const settings = readSettings(['--port', '6001', '--factor=2.5'], { PORT: '6000', SLOTS: '8' });
  expect(settings).toMatchObject({ port: 6001, factor: 2.5, slots: 8 });
});

test('all faults are reported at once, with the allowed range', () => {
  expect(() => readSettings(['--slots', '1.5'], { PORT: '', ERROR_RATE: '2' })).toThrow(
    [
      'demo-server cannot start:',
      '  --port (or PORT) is "": use a whole number from 1 to 65535',
      '  --slots (or SLOTS) is "1.5": use a whole number from 1 to 10000',
      '  --error-rate (or ERROR_RATE) is "2": use a number from 0 to 1',
    ].join('\n'),
  );
});

import { expect, onTestFinished, test, vi } from 'vitest';
import { ServedCall } from './served-call.js';

test('all calls that a handler has made are canceled with it, also if an interceptor of one throws', () => {
  const thrown: (() => void)[] = [];
  vi.stubGlobal('queueMicrotask', (run: () => void) => void thrown.push(run));
  onTestFinished(() => void vi.unstubAllGlobals());
  const served = new ServedCall({ getDeadline: () => Infinity }, undefined);
  const canceled: string[] = [];
  for (const name of ['a', 'b', 'c'])
    served.on('cancelled', () => {
      canceled.push(name);
      if (name === 'a') throw new Error('an interceptor');
    });
  served.cancel();
  served.cancel();
  expect(canceled).toEqual(['a', 'b', 'c']);
  expect(thrown).toHaveLength(1);
  expect(thrown[0]).toThrow('an interceptor');
});

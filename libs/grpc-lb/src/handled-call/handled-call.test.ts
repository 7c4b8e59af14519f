import { expect, test } from 'vitest';
import {
  currentHandledCall,
  type HandledCall,
  isHandledCallWanted,
  runHandling,
  wantHandledCall,
} from './handled-call.js';

const handled: HandledCall = {
  getDeadline: () => 1,
  cancelled: false,
  over: false,
  criticality: undefined,
  on: () => {},
  off: () => {},
};

/** The module again, as a second copy of the package would load it. */
async function copy(): Promise<typeof import('./handled-call.js')> {
  // Not a literal, which would be looked up now.
  const path = './handled-call.js?copy';
  return (await import(/* @vite-ignore */ path)) as typeof import('./handled-call.js');
}

test('two copies of the package see the same call, and what the other wants', async () => {
  const other = await copy();
  expect(other.runHandling).not.toBe(runHandling);
  expect(isHandledCallWanted()).toBe(false);
  other.wantHandledCall();
  expect(isHandledCallWanted()).toBe(true);
  const seen: unknown[] = [];
  runHandling(handled, () => seen.push(other.currentHandledCall()));
  other.runHandling(handled, () => seen.push(currentHandledCall()));
  expect(seen).toEqual([handled, handled]);
  expect(currentHandledCall()).toBeUndefined();
});

test('a call that is over is none', () => {
  wantHandledCall();
  const seen: unknown[] = [];
  runHandling({ ...handled, over: true }, () => seen.push(currentHandledCall()));
  expect(seen).toEqual([undefined]);
});

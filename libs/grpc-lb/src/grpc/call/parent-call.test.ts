import { EventEmitter } from 'node:events';
import { propagate } from '@grpc/grpc-js';
import { expect, onTestFinished, test, vi } from 'vitest';
import { inheritedDeadline, onParentCancelled, type ParentCall } from './parent-call.js';

const NOW = 1_000_000;
const parentWith = (deadline: number | Date): ParentCall => ({
  cancelled: false,
  getDeadline: () => deadline,
  on: () => {},
  off: () => {},
});
const inherited = (deadline: number | Date, flags: number = propagate.DEFAULTS): number =>
  inheritedDeadline(parentWith(deadline), flags, NOW);

test.each([3, 100, 1e9])('a deadline in %i ms is inherited as it is', (left) => {
  expect(inherited(NOW + left)).toBe(NOW + left);
  expect(inherited(new Date(NOW + left))).toBe(NOW + left);
});

test.each([2, 0.5, 0])('a deadline in %d ms has passed: the call would reach its server after it', (left) => {
  expect(inherited(NOW + left)).toBe(NOW);
});

test('a deadline that has passed stays when it was', () => {
  expect(inherited(NOW - 50)).toBe(NOW - 50);
});

test('no parent, no deadline and the flags of grpc-js inherit none', () => {
  expect(inheritedDeadline(null, propagate.DEFAULTS, NOW)).toBe(Infinity);
  expect(inherited(Infinity)).toBe(Infinity);
  expect(inherited(NOW + 100, propagate.CANCELLATION)).toBe(Infinity);
});

/** As the calls that grpc-js gives to handlers. */
class EmittingParent extends EventEmitter implements ParentCall {
  readonly cancelled = false;

  getDeadline(): number {
    return Infinity;
  }
}

test('many calls that a handler makes share one listener to its call, which goes with the last of them', () => {
  const parent = new EmittingParent();
  const ended: number[] = [];
  const leave: ((() => void) | undefined)[] = Array.from({ length: 20 }, (_, i) =>
    onParentCancelled(parent, propagate.DEFAULTS, () => {
      ended.push(i);
      // As a call does that ends.
      leave[i]!();
    }),
  );
  expect(parent.listenerCount('cancelled')).toBe(1);
  for (const i of [0, 1]) leave[i]!();
  parent.emit('cancelled');
  expect(ended).toEqual(Array.from({ length: 18 }, (_, i) => i + 2));
  expect(parent.listenerCount('cancelled')).toBe(0);
  onParentCancelled(parent, propagate.DEFAULTS, () => ended.push(99))!();
  expect(parent.listenerCount('cancelled')).toBe(0);
});

test('all of them are cancelled, also if one throws', () => {
  const thrown: (() => void)[] = [];
  vi.stubGlobal('queueMicrotask', (run: () => void) => void thrown.push(run));
  onTestFinished(() => void vi.unstubAllGlobals());
  const parent = new EmittingParent();
  const ended: number[] = [];
  for (let i = 0; i < 3; i++)
    onParentCancelled(parent, propagate.DEFAULTS, () => {
      ended.push(i);
      if (i === 0) throw new Error('an interceptor');
    });
  parent.emit('cancelled');
  expect(ended).toEqual([0, 1, 2]);
  expect(thrown).toHaveLength(1);
  expect(thrown[0]).toThrow('an interceptor');
});

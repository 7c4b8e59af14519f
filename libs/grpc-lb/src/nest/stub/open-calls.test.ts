import { expect, test } from 'vitest';
import { OpenCall, OpenCalls } from './open-calls.js';

class Call extends OpenCall {
  readonly errors: unknown[] = [];

  constructor(private readonly onGiveUp: () => void = () => {}) {
    super();
  }

  giveUp(error: unknown): void {
    this.errors.push(error);
    this.onGiveUp();
  }
}

test('each call that is open is given up once, and no call that has ended', () => {
  const calls = new OpenCalls();
  const all = Array.from({ length: 6 }, () => new Call());
  for (const call of all) calls.add(call);
  // The first, the last, one in the middle; twice, as an ended call may be unsubscribed again.
  for (const i of [0, 5, 2, 2]) calls.delete(all[i]!);
  calls.giveUp('closed');
  expect(all.map(({ errors }) => errors)).toEqual([[], ['closed'], [], ['closed'], ['closed'], []]);
  expect(calls.isEmpty).toBe(true);
});

test('a call that is given up may end the others', () => {
  const calls = new OpenCalls();
  const others = [new Call(), new Call(), new Call()];
  const first = new Call(() => others.forEach((each) => calls.delete(each)));
  for (const call of [...others, first]) calls.add(call);
  calls.giveUp('closed');
  expect(first.errors).toEqual(['closed']);
  expect(others.flatMap(({ errors }) => errors)).toEqual([]);
});

test('a list that is empty again takes new calls', () => {
  const calls = new OpenCalls();
  const call = new Call();
  calls.add(call);
  calls.delete(call);
  expect(calls.isEmpty).toBe(true);
  calls.add(call);
  calls.giveUp('closed');
  expect(call.errors).toEqual(['closed']);
});

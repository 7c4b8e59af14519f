import { expect, test } from 'vitest';
import { FakeClock } from '../../../testing/fake-clock.js';
import { Degradation } from './degradation.js';

function degradation() {
  const clock = new FakeClock();
  let changes = 0;
  const subject = new Degradation(clock, () => changes++);
  return { clock, subject, changes: () => changes };
}

test('what discovery says holds until it says otherwise', () => {
  const { clock, subject, changes } = degradation();
  expect(subject.reason).toBeUndefined();
  subject.list(true);
  clock.advance(1_000_000);
  subject.say(undefined);
  expect(subject.reason).toBe('discovery lists it as degraded');
  subject.list(false);
  expect(subject.reason).toBeUndefined();
  expect(changes()).toBe(0);
});

test('what the endpoint says holds for ten seconds after it was repeated last', () => {
  const { clock, subject, changes } = degradation();
  subject.say('replica lags');
  expect(subject.reason).toBe('it says that it is degraded: replica lags');
  clock.advance(6000);
  subject.say('replica lags');
  clock.advance(9999);
  expect(subject.reason).toBeDefined();
  expect(changes()).toBe(1);
  clock.advance(1);
  expect(subject.reason).toBeUndefined();
  expect(changes()).toBe(2);
});

test('an answer without it ends it after a second, and leaves no timer', () => {
  const { clock, subject, changes } = degradation();
  subject.say('');
  expect(subject.reason).toBe('it says that it is degraded');
  clock.advance(1000);
  subject.say(undefined);
  expect(subject.reason).toBeUndefined();
  expect([changes(), clock.pendingTimers]).toEqual([2, 0]);
  subject.say(undefined);
  expect(changes()).toBe(2);
});

test('another reason is told, and a closed one leaves no timer', () => {
  const { clock, subject, changes } = degradation();
  subject.say('a');
  clock.advance(1000);
  subject.say('b');
  expect([subject.reason, changes()]).toEqual(['it says that it is degraded: b', 2]);
  subject.close();
  expect(clock.pendingTimers).toBe(0);
});

test('what changes with every call is told once a second', () => {
  const { clock, subject, changes } = degradation();
  // A thousand calls in three seconds to two processes behind one address, of which one is degraded.
  for (let call = 0; call < 1000; call++) {
    subject.say(call % 2 === 0 ? `${call} messages wait` : undefined);
    clock.advance(3);
  }
  expect([changes(), subject.reason]).toEqual([3, 'it says that it is degraded: 668 messages wait']);
  clock.advance(10_000);
  expect([subject.reason, clock.pendingTimers]).toEqual([undefined, 0]);
});

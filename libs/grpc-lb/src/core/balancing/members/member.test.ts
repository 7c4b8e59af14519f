import { expect, test } from 'vitest';
import { FakeClient } from '../../../../../../test/support/balancing/fake-client.js';

test('a snapshot says at which time of day the state began, whatever the two clocks show when it is read', () => {
  const client = new FakeClient('a');
  const since = (): number => client.balancing.endpoints()[0]!.since;
  client.timeOfDay = 1_800_000_000_000;
  client.link('a').fail();
  client.link('a').lose();
  expect(client.balancing.endpoints()).toMatchObject([{ state: 'transient_failure', since: 1_800_000_000_000 }]);
  for (const [passed, shown] of [
    [1000.4, 1000],
    [1000.4, 1002],
    [0, -3_600_000],
  ] as const) {
    client.clock.advance(passed);
    client.timeOfDay += shown;
    expect(since()).toBe(1_800_000_000_000);
  }
  client.link('a').open();
  expect(client.balancing.endpoints()).toMatchObject([{ state: 'ready', since: client.timeOfDay }]);
});

import { describe, expect, test } from 'vitest';
import { DOWN, EventLines, failed, recovered, state, UP } from '../../../../test/support/nest/event-lines.js';
import { EJECTION_WITHDRAWN } from '../core/balancing/health/passive-health.js';
import type { EventBody } from '../core/events.js';

/** How often problems and their ends are logged; event-log.test.ts has what is logged of them. */

const MINUTE = 60_000;

const logged = new EventLines();

describe('a state that alternates', () => {
  test('is logged with its first recovery at once, then with one every two minutes, and finally as it ends', () => {
    for (let i = 0; i < 250; i++) {
      logged.tell(i % 2 === 0 ? DOWN : UP);
      logged.clock.advance(1000);
    }
    logged.tell(UP);
    expect(logged.lines.slice(0, 2).map(([at, level]) => [at, level])).toEqual([
      [0, 'warn'],
      [1000, 'log'],
    ]);
    const recoveries = logged.lines.filter(([, level]) => level === 'log').map(([at]) => at);
    for (const [i, at] of recoveries.slice(1).entries()) expect(at - recoveries[i]!).toBeGreaterThanOrEqual(120_000);
    expect(logged.lines.length).toBeLessThanOrEqual(2 + 250 / 60 + 1);
    logged.clock.advance(10 * MINUTE);
    // The client is ready: either that was logged last, or the problem never was.
    expect(logged.lines.at(-1)![1]).toBe('log');
    expect(logged.clock.pendingTimers).toBe(0);
  });

  test('never waits to be bad: a line that says "ready" is not the last one for longer than that is true', () => {
    for (let i = 0; i < 600; i++) {
      const bad = i % 7 < 3 || i % 11 === 0;
      logged.tell(bad ? DOWN : UP);
      expect(bad && logged.lines.at(-1)![1] === 'log').toBe(false);
      logged.clock.advance(1000);
    }
    expect(logged.lines.length).toBeLessThanOrEqual(2 + 600 / 60 + 1);
  });

  test('and then stays bad is logged at once: a short problem does not hide a long one after it', () => {
    logged.tell(DOWN);
    logged.tell(UP);
    logged.clock.advance(2000);
    logged.tell(DOWN);
    expect(logged.lines.at(-1)).toEqual([
      2000,
      'warn',
      'client ORDERS: no endpoint is ready, calls fail with UNAVAILABLE: x refused',
    ]);
    logged.clock.advance(10 * MINUTE);
    expect(logged.lines).toHaveLength(3);
    expect(logged.clock.pendingTimers).toBe(0);
  });

  test('and recovers again is logged late, with the time of the recovery', () => {
    logged.tell(DOWN);
    logged.tell(UP);
    logged.clock.advance(2000);
    logged.tell(DOWN);
    logged.clock.advance(5000);
    logged.tell(UP);
    expect(logged.lines).toHaveLength(3);
    logged.clock.advance(10 * MINUTE);
    expect(logged.lines.slice(3)).toEqual([
      [2 * MINUTE, 'log', 'client ORDERS: ready again (since 1970-01-01T00:00:07.000Z)'],
    ]);
    expect(logged.clock.pendingTimers).toBe(0);
  });

  test('with long pauses is logged each time', () => {
    for (let i = 0; i < 4; i++) {
      logged.tell(DOWN);
      logged.tell(UP);
      logged.clock.advance(3 * MINUTE);
    }
    expect(logged.lines).toHaveLength(8);
  });
});

describe('a problem that persists', () => {
  test('is logged once a minute while its events continue', () => {
    for (let i = 0; i < 180; i++) {
      logged.tell({ type: 'call_rejected', pending: 10, maxPending: 10 });
      logged.clock.advance(1000);
    }
    expect(logged.lines.map(([at]) => at)).toEqual([0, MINUTE, 2 * MINUTE]);
  });

  test('and changes is logged with its latest reason', () => {
    for (const [i, error] of ['A', 'B', 'C', 'D'].entries()) {
      logged.tell(failed(error));
      logged.clock.advance(i === 3 ? 0 : 10_000);
    }
    logged.clock.advance(MINUTE);
    expect(logged.texts.map((text) => /failed: (.)/.exec(text)![1])).toEqual(['A', 'B', 'D']);
    expect(logged.texts[2]).toMatch(/ \(since 1970-01-01T00:00:30\.000Z\)$/);
  });
});

test('clients, targets and kinds of problems do not suppress each other', () => {
  logged.tell(failed('A'));
  logged.tell(failed('B', 'kubernetes:///orders'));
  logged.tell(failed('C'), 'USERS');
  logged.tell(DOWN);
  logged.tell(DOWN, 'USERS');
  logged.tell({ type: 'panic', on: true, healthy: 0, connected: 2 });
  expect(logged.lines).toHaveLength(6);
  logged.tell(recovered('kubernetes:///orders'));
  expect(logged.lines.at(-1)![2]).toBe('client ORDERS: discovery recovered: kubernetes:///orders');
});

describe('endpoints:', () => {
  const refused = (port: number): void => logged.tell(state('transient_failure', 'refused', `10.0.0.1:${port}`));
  const ready = (port: number): void => logged.tell(state('ready', null, `10.0.0.1:${port}`));

  const ports = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i + 1);

  test('of a thousand that fail at once ten are logged, and the number of the others', () => {
    for (const port of ports(1000)) refused(port);
    expect(logged.lines).toHaveLength(10);
    logged.clock.advance(MINUTE);
    expect(logged.lines).toHaveLength(11);
    expect(logged.lines[10]![2]).toMatch(
      /^client ORDERS: endpoint 10\.0\.0\.1:11 is unavailable: refused; .* \(and 989 more; see the snapshot\)$/,
    );
    for (let minute = 0; minute < 5; minute++) {
      for (const port of ports(1000)) refused(port);
      logged.clock.advance(MINUTE);
    }
    expect(logged.lines.length).toBeLessThanOrEqual(11 + 5 * 6);
  });

  test('each of a rolling restart is logged, with its recovery', () => {
    for (const port of ports(5)) {
      refused(port);
      logged.clock.advance(1000);
      ready(port);
      logged.clock.advance(1000);
    }
    expect(logged.lines).toHaveLength(10);
  });

  test('the end of a problem that has changed once is logged at once: ejected, then silent, then ready', () => {
    logged.tell(state('ejected', '3 timeouts in a row'));
    logged.clock.advance(1000);
    logged.tell(state('suspect', 'no answer to a PING'));
    logged.clock.advance(4000);
    logged.tell(state('ready', null));
    expect(logged.lines.map(([at, level]) => [at, level])).toEqual([
      [0, 'warn'],
      [1000, 'warn'],
      [5000, 'log'],
    ]);
  });

  test('one that gets worse is logged at once: ejected, ready, silent, unavailable', () => {
    const changes = [
      state('ejected', '3 timeouts in a row'),
      state('ready', EJECTION_WITHDRAWN),
      state('suspect', 'no answer to a PING'),
      state('ready', null),
      state('suspect', 'no answer to a PING'),
      state('transient_failure', 'no answer to a PING within 20000 ms'),
    ];
    for (const change of changes) {
      logged.tell(change);
      logged.clock.advance(1000);
    }
    expect(logged.lines.map(([at, , text]) => [at, /50051 (is \w+|gets)/.exec(text)![1]])).toEqual([
      [0, 'is ejected'],
      [1000, 'gets'],
      [2000, 'is silent'],
      [3000, 'is ready'],
      [4000, 'is silent'],
      [5000, 'is unavailable'],
    ]);
  });

  test('one that gets worse all the time is logged within limits', () => {
    const states = ['ejected', 'suspect', 'transient_failure', 'ready'] as const;
    for (let i = 0; i < 600; i++) {
      logged.tell(state(states[i % 4]!, i % 4 === 3 ? null : 'x'));
      logged.clock.advance(1000);
    }
    // Three problems and an end in two minutes.
    expect(logged.lines.length).toBeLessThanOrEqual(4 * (1 + 10 / 2));
  });

  test('one whose problem changes all the time is logged no more often than others', () => {
    for (let i = 0; i < 120; i++) {
      logged.tell(state(i % 2 === 0 ? 'ejected' : 'suspect', `reason ${i}`));
      logged.clock.advance(1000);
    }
    expect(logged.lines.length).toBeLessThanOrEqual(5);
  });

  test('one that flaps does not hide another', () => {
    for (let i = 0; i < 20; i++) {
      refused(1);
      ready(1);
      logged.clock.advance(100);
    }
    expect(logged.lines).toHaveLength(3);
    refused(2);
    expect(logged.texts[3]).toContain('endpoint 10.0.0.1:2 is unavailable');
    logged.clock.advance(10 * MINUTE);
    expect(logged.texts.slice(4)).toEqual([expect.stringContaining('endpoint 10.0.0.1:1 is ready (since ')]);
    expect(logged.clock.pendingTimers).toBe(0);
  });

  test('one that recovers before its problem is logged is not logged at all', () => {
    for (const port of ports(11)) refused(port);
    ready(11);
    logged.clock.advance(MINUTE);
    expect(logged.lines).toHaveLength(10);
  });

  test('the problem of one is logged although another one has recovered since', () => {
    for (const port of ports(11)) refused(port);
    ready(1);
    logged.clock.advance(MINUTE);
    expect(logged.texts[10]).toContain('endpoint 10.0.0.1:11 is unavailable');
    expect(logged.texts[11]).toBe('log client ORDERS: endpoint 10.0.0.1:1 is ready (since 1970-01-01T00:00:00.000Z)');
    expect(logged.clock.pendingTimers).toBe(0);
  });

  test('those that recover while lines are limited share one', () => {
    for (const port of ports(12)) refused(port);
    for (const port of ports(10)) ready(port);
    logged.clock.advance(MINUTE);
    expect(logged.texts.slice(10)).toEqual([
      expect.stringMatching(/10\.0\.0\.1:11 is unavailable: .* \(since [^)]+\) \(and 1 more; see the snapshot\)$/),
      'log client ORDERS: endpoint 10.0.0.1:1 is ready (since 1970-01-01T00:00:00.000Z) (9 more have recovered too)',
    ]);
  });

  test('a removed one is not logged', () => {
    for (const port of ports(11)) refused(port);
    logged.tell({ type: 'endpoint_removed', address: '10.0.0.1:11' });
    logged.clock.advance(10 * MINUTE);
    expect(logged.lines).toHaveLength(10);
    expect(logged.clock.pendingTimers).toBe(0);
  });

  test.for<(address: string) => EventBody>([
    (address) => ({ type: 'shedding', address, on: true }),
    (address) => ({ type: 'connection_not_replaced', address, reason: 'x' }),
  ])('a removed one is not logged, whatever its problem was', (problem) => {
    for (const port of ports(11)) logged.tell(problem(`10.0.0.1:${port}`));
    for (const port of ports(11)) logged.tell({ type: 'endpoint_removed', address: `10.0.0.1:${port}` });
    logged.clock.advance(10 * MINUTE);
    expect(logged.lines).toHaveLength(10);
    expect(logged.clock.pendingTimers).toBe(0);
  });

  test('a problem that recurs after a long time is logged again', () => {
    for (const at of [0, 3, 6]) {
      refused(1);
      ready(1);
      logged.clock.advance(3 * MINUTE);
      expect(logged.lines).toHaveLength((at / 3 + 1) * 2);
    }
  });
});

test('each method that is throttled is logged, and its end, whatever others do meanwhile', () => {
  const throttle = (method: string, on: boolean): void =>
    logged.tell({ type: 'throttle', on, method, requests: 100, accepts: 10 });
  const all = ['/a/One', '/a/Two', '/a/Three'];
  for (const method of all) throttle(method, true);
  expect(logged.texts.map((text) => /warn .* of (\S+) are throttled/.exec(text)?.[1])).toEqual(all);
  for (const method of all) throttle(method, false);
  logged.clock.advance(MINUTE);
  expect(logged.texts.slice(3)).toEqual(
    all.map((method) => `log client ORDERS: calls of ${method} are no longer throttled`),
  );
});

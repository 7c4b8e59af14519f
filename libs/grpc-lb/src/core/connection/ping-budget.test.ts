import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { StrikeCounter } from '../../../../../test/support/peers/strike-counter.js';
import { PingBudget } from './ping-budget.js';

const KEEPALIVE_MS = 330_000;

test('the first is free, and only a second is allowed within five minutes', () => {
  const budget = new PingBudget();
  const asked: boolean[] = [];
  for (const now of [0, 1000, 2000, 310_000]) {
    asked.push(budget.allows(now, true));
    if (asked.at(-1)) budget.sent(now, true);
  }
  expect(asked).toEqual([true, true, false, false]);
  expect(budget.allows(311_000, true)).toBe(true);
});

test('while no stream is open, servers allow one in two hours', () => {
  const budget = new PingBudget();
  for (const now of [0, 1000]) budget.sent(now, false);
  expect([budget.allows(400_000, false), budget.allows(400_000, true)]).toEqual([false, true]);
  expect(budget.allows(7_300_000, false)).toBe(true);
});

/** The next event: a wish to ping the peer, or an answer to a call, before or after a PING in flight. */
const step = fc.record({
  after: fc.oneof(fc.nat(3000), fc.nat(400_000), fc.nat(8_000_000)),
  what: fc.constantFrom('ask', 'ask', 'ask', 'reply', 'reply overtaken by a PING'),
  streamOpen: fc.boolean(),
});

test('no server counts a third ping strike, whatever the client does besides keepalive', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.nat(KEEPALIVE_MS), (steps, firstKeepalive) => {
      const budget = new PingBudget();
      const server = new StrikeCounter();
      let now = 0;
      let nextKeepalive = firstKeepalive;
      const ping = (streamOpen: boolean): void => {
        budget.sent(now, streamOpen);
        server.ping(now, streamOpen);
      };
      for (const { after, what, streamOpen } of steps) {
        const end = now + after;
        // Keepalive of grpc-js pings while calls are in flight.
        for (; nextKeepalive <= end; nextKeepalive += KEEPALIVE_MS) {
          now = nextKeepalive;
          if (streamOpen) ping(true);
        }
        now = end;
        if (what === 'ask' && budget.allows(now, streamOpen)) ping(streamOpen);
        if (what === 'reply') {
          server.replied();
          budget.replied(false);
        }
        if (what === 'reply overtaken by a PING' && budget.allows(now, true)) {
          server.replied();
          ping(true);
          budget.replied(true);
        }
        expect(server.cut, `at ${now}`).toBe(false);
      }
    }),
    { seed: Number(process.env['FAST_CHECK_SEED'] ?? 1), numRuns: 500 },
  );
});

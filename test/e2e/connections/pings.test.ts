import { afterEach, beforeEach, expect, test } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { FakeClock } from '../../support/time/fake-clock.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { StrictPingServer } from '../../support/peers/strict-ping-server.js';

expectNoLeaks();

const TEN_MINUTES = 600_000;
const STEP_MS = 500;
const EACH_MS = 3000;

let clock: FakeClock;
let server: StrictPingServer;
let client: BalancedClient;

beforeEach(async () => {
  clock = new FakeClock();
  server = await new StrictPingServer(clock, 30_000).start();
  client = await new BalancedClient({ target: `static:///${server.address}`, clock }).ready(1);
});

afterEach(async () => {
  client.close();
  await server.stop();
});

/** Ten minutes of the clock, with time for PINGs and their answers at each step, and something new every three seconds. */
async function pass(begin: () => void): Promise<void> {
  for (let at = 0; at < TEN_MINUTES; at += STEP_MS) {
    if (at % EACH_MS === 0) begin();
    for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate);
    clock.advance(STEP_MS);
  }
}

const losses = (): unknown[] => client.events.filter(({ type }) => type === 'connection_closed');

test('ten minutes of quiet streams, one more each 3 s: no server that counts PINGs cuts them', async () => {
  const ended: unknown[] = [];
  const streams: { cancel(): void }[] = [];
  await pass(() => {
    const stream = client.echo.Repeat({ text: 'x', times: 0 });
    stream.on('error', (error) => ended.push(error));
    streams.push(stream);
  });
  expect([server.cuts, ended, losses()]).toEqual([0, [], []]);
  // Two at once, one five minutes later.
  expect(server.pings).toBeGreaterThanOrEqual(2);
  expect(server.pings).toBeLessThanOrEqual(4);
  const done = streams.length;
  for (const stream of streams) stream.cancel();
  await expect.poll(() => ended.length).toBe(done);
});

test('ten minutes of polls that are answered after 30 s, one each 3 s: none fails', async () => {
  const polls: Promise<unknown>[] = [];
  await pass(() => polls.push(client.say()));
  expect([server.cuts, losses()]).toEqual([0, []]);
  clock.advance(30_000);
  const ends = await Promise.allSettled(polls);
  expect(ends.filter(({ status }) => status === 'rejected')).toEqual([]);
  expect(ends).toHaveLength(TEN_MINUTES / EACH_MS);
});

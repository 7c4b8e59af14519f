import { expect, it } from 'vitest';
import { CallSoak } from '../../support/calls/soak.js';
import { closeWithTest } from '../../support/run/close-with-test.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

/** `npm run chaos calls` makes more of them, and looks at the heap too. */
const CALLS = 3000;

it('calls of all kinds that are cancelled at random moments leave nothing behind', async () => {
  const soak = await CallSoak.start(1);
  closeWithTest(() => soak.close());
  await soak.run(0, CALLS);
  const { calls, servers, streams, inFlight } = soak;
  expect(calls.cancelled).toBeGreaterThan(CALLS / 4);
  expect(servers.restarts).toBeGreaterThan(0);
  expect(servers.refusing.refused).toBeGreaterThan(0);
  expect(calls.unexplained).toEqual([]);
  const left = { running: calls.running, inFlight, listeners: calls.listeners };
  expect(left).toEqual({ running: 0, inFlight: 0, listeners: 0 });
  expect({ ofClients: streams.ofClients, ofServers: streams.ofServers }).toEqual({ ofClients: 0, ofServers: 0 });
});

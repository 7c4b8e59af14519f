import { expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import type { LbEvent } from '../../core/events.js';
import { effectiveLoadBalancing } from '../../core/options/load-balancing.js';
import { ClientContext } from './client-context.js';

test('rejected load reports are counted, and reported at most every ten seconds', async () => {
  const clock = new FakeClock();
  const events: LbEvent[] = [];
  const context = new ClientContext({
    name: 'C',
    targets: ['static:///a:1'],
    loadBalancing: effectiveLoadBalancing(),
    onEvent: (event) => events.push(event),
    clock,
  });
  for (let ms = 0; ms < 20_000; ms += 1000) {
    context.loadReportRejected('a:1');
    clock.advance(1000);
  }
  await Promise.resolve();
  expect(events).toMatchObject([
    { type: 'load_report_rejected', client: 'C', address: 'a:1', total: 1 },
    { type: 'load_report_rejected', client: 'C', address: 'a:1', total: 11 },
  ]);
});

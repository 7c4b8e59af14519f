import { expect, onTestFinished, test, vi } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import type { LbEvent } from '../../core/events.js';
import { effectiveLoadBalancing } from '../../core/options/load-balancing.js';
import { ClientContext } from './client-context.js';
import { eventually } from '../../../../../test/support/time/patience.js';

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

test('events of a large change are delivered a thousand at a time, in their order', async () => {
  const events: LbEvent[] = [];
  const context = new ClientContext({
    name: 'C',
    targets: ['static:///a:1'],
    loadBalancing: effectiveLoadBalancing(),
    onEvent: (event) => events.push(event),
  });
  for (let i = 0; i < 2500; i++) context.emit({ type: 'endpoint_added', address: `${i}` });
  await Promise.resolve();
  expect(events).toHaveLength(1000);
  context.emit({ type: 'endpoint_added', address: '2500' });
  const turn = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));
  await turn();
  expect(events).toHaveLength(2000);
  await turn();
  expect(events.map((event) => 'address' in event && event.address)).toEqual(
    Array.from({ length: 2501 }, (_, i) => `${i}`),
  );
});

test('a listener that is async and fails does not end the process, also at an event of a call', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  onTestFinished(() => warn.mockRestore());
  const context = new ClientContext({
    name: 'C',
    targets: ['static:///a:1'],
    loadBalancing: effectiveLoadBalancing(),
    onEvent: (() => Promise.reject(new Error('the pager is off'))) as () => void,
  });
  context.emit({ type: 'endpoint_added', address: 'a:1' });
  context.emit({ type: 'call_rejected', pending: 1, maxPending: 1 }, { runInAsyncScope: (action) => action() });
  await eventually(() => warn.mock.calls.length === 2);
  expect(warn.mock.calls).toEqual([
    ['A listener of client C failed at endpoint_added: the pager is off', 'GrpcLbWarning'],
    ['A listener of client C failed at call_rejected: the pager is off', 'GrpcLbWarning'],
  ]);
});

test('a listener that fails at each of thousands of events is reported ten times, and then every ten seconds', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  onTestFinished(() => warn.mockRestore());
  const clock = new FakeClock();
  const context = new ClientContext({
    name: 'C',
    targets: ['static:///a:1'],
    loadBalancing: effectiveLoadBalancing(),
    onEvent: ({ type }) => {
      throw new Error(`no pager for ${type}`);
    },
    clock,
  });
  const emit = async (events: number): Promise<void> => {
    for (let i = 0; i < events; i++) context.emit({ type: 'endpoint_added', address: `${i}` });
    await Promise.resolve();
  };
  for (let i = 0; i < 5; i++) await emit(1000);
  expect(warn).toHaveBeenCalledTimes(10);
  clock.advance(9999);
  await emit(1);
  expect(warn).toHaveBeenCalledTimes(10);
  clock.advance(1);
  await emit(1);
  clock.advance(10_000);
  await emit(1);
  const failure = 'A listener of client C failed at endpoint_added: no pager for endpoint_added';
  expect(warn.mock.calls.slice(10).map(([text]) => text)).toEqual([`${failure} (and 4991 more times before)`, failure]);
});

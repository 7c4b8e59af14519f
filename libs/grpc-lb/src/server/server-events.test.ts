import { expect, onTestFinished, test, vi } from 'vitest';
import { ServerEvents } from './server-events.js';
import { eventually } from '../../../../test/support/time/patience.js';

const EXPIRING = { type: 'certificate_expiring', reason: 'soon', expires: 1 } as const;

test.each<[string, () => void]>([
  [
    'throws',
    () => {
      throw new Error('the pager is off');
    },
  ],
  ['is async, and rejects', (() => Promise.reject(new Error('the pager is off'))) as () => void],
])('a listener that %s is a warning of the process, and the others are told', async (_, onEvent) => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  onTestFinished(() => warn.mockRestore());
  const events = new ServerEvents(onEvent);
  const told: string[] = [];
  events.events$.subscribe(({ type }) => told.push(type));
  events.emit(EXPIRING);
  await eventually(() => warn.mock.calls.length > 0);
  expect(warn.mock.calls).toEqual([
    ['onEvent of the server failed at certificate_expiring: the pager is off', 'GrpcLbWarning'],
  ]);
  expect(told).toEqual(['certificate_expiring']);
});

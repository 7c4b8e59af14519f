import { expect, test } from 'vitest';
import { EventLog } from './event-log.js';

test('details of a thousand endpoints do not push out what matters', () => {
  const log = new EventLog();
  log.add({ type: 'panic', client: 'A', time: 1, on: true, healthy: 1, connected: 9 });
  for (let i = 0; i < 1000; i++)
    log.add({ type: 'connection_opened', client: 'A', time: 2, address: `a:${i}`, connection: i });
  log.add({ type: 'configured', client: 'B', time: 3 });
  const lines = log.after(0, 'A');
  expect(lines).toHaveLength(101);
  expect(lines[0]).toMatchObject({ weight: 'problem', text: expect.stringContaining('panic: only 1 of 9') });
  expect(lines.at(-1)!.text).toBe('connection 999 to a:999 is ready');
  expect(log.after(lines.at(-1)!.id, 'A')).toEqual([]);
  expect(log.after(0, 'B')).toHaveLength(1);
  expect(log.after(0, 'C')).toEqual([]);
});

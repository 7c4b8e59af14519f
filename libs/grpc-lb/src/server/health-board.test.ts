import { expect, test } from 'vitest';
import { HealthBoard } from './health-board.js';

function board(): { board: HealthBoard; told: string[] } {
  const health = new HealthBoard();
  const told: string[] = [];
  const tell = health.service.setStatus.bind(health.service);
  health.service.setStatus = (service, status) => {
    told.push(`${service} ${status}`);
    tell(service, status);
  };
  health.add(['a.A', 'b.B']);
  told.length = 0;
  return { board: health, told };
}

test('no service is SERVING before the server is open, whatever its checks say', () => {
  const { board: health, told } = board();
  health.setHealthy('a.A', true);
  health.setServing('', true);
  expect(told).toEqual([]);
  health.open(true);
  expect(told).toEqual([' SERVING', 'a.A SERVING', 'b.B SERVING']);
});

test('SERVING needs the server, the manual status and the checks; every change is reported once', () => {
  const { board: health, told } = board();
  health.open(true);
  told.length = 0;
  health.setServing('a.A', false);
  health.setHealthy('a.A', false);
  health.setServing('a.A', true);
  expect(told).toEqual(['a.A NOT_SERVING']);
  health.setHealthy('a.A', true);
  expect(told).toEqual(['a.A NOT_SERVING', 'a.A SERVING']);
  health.setHealthy('', false);
  expect(health.statuses()).toEqual({ '': 'NOT_SERVING', 'a.A': 'NOT_SERVING', 'b.B': 'NOT_SERVING' });
  health.setHealthy('', true);
  health.open(false);
  health.setServing('b.B', true);
  expect(health.statuses()).toEqual({ '': 'NOT_SERVING', 'a.A': 'NOT_SERVING', 'b.B': 'NOT_SERVING' });
});

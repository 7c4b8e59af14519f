import { of } from 'rxjs';
import { expect, test } from 'vitest';
import { PhaseRun } from '../load/phase-run.js';
import { ClickVerdict } from './click-verdict.js';

const phase = { key: 'balanced', title: '', policy: '', seconds: 0, endpoints: () => null } as const;
const newRun = (): PhaseRun => new PhaseRun({ ...phase, find: () => of({ id: '', servedBy: 'a' }) }, ['a'], 1000);
const lose = (run: PhaseRun): void => run.tally.add({ ok: false, latencyMs: 1, address: null });

test('only calls that fail after the click count, and only in its phase', () => {
  const verdict = new ClickVerdict();
  const run = newRun();
  expect(verdict.verdict(run, 0)).toBeNull();
  lose(run);
  verdict.clicked('stop', 'a', run, 1000);
  expect(verdict.verdict(run, 3500)).toEqual({ action: 'stop', address: 'a', secondsAgo: 2.5, lost: 0 });
  lose(run);
  expect(verdict.verdict(run, 4000)).toMatchObject({ lost: 1 });
  expect(verdict.verdict(newRun(), 4000)).toBeNull();
});

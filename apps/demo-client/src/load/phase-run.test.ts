import { type Observable, of, Subject } from 'rxjs';
import { expect, test } from 'vitest';
import type { Phase } from './phase.js';
import { PhaseRun } from './phase-run.js';

function phase(find: () => Observable<{ id: string; servedBy: string }>, seconds: number | null): Phase {
  return { key: 'balanced', title: 'Balanced', policy: 'least_request', seconds, find, endpoints: () => null };
}

test('a phase starts exactly rate times seconds calls, whatever the timers do', async () => {
  const run = new PhaseRun(
    phase(() => of({ id: '', servedBy: 'a' }), 0.1),
    ['a'],
    1000,
  );
  await run.run(700, new AbortController().signal);
  expect(run.tally.summary()).toMatchObject({ calls: 70, endpoints: { a: 70 } });
});

test('a phase waits for the last answers before it is done', async () => {
  const answers: Subject<{ id: string; servedBy: string }>[] = [];
  const find = (): Observable<{ id: string; servedBy: string }> => {
    const answer = new Subject<{ id: string; servedBy: string }>();
    answers.push(answer);
    return answer;
  };
  const run = new PhaseRun(phase(find, 0.02), ['a'], 1000);
  const finished = run.run(100, new AbortController().signal);
  await expect.poll(() => run.status).toBe('draining');
  expect([run.inFlight, answers.length]).toEqual([2, 2]);
  for (const answer of answers) answer.next({ id: '', servedBy: 'a' });
  await finished;
  expect([run.status, run.inFlight]).toEqual(['done', 0]);
});

test('a phase that is stopped cancels its calls in flight', async () => {
  const answers = new Subject<{ id: string; servedBy: string }>();
  const run = new PhaseRun(
    phase(() => answers, null),
    ['a'],
    1000,
  );
  const stop = new AbortController();
  const finished = run.run(1000, stop.signal);
  await expect.poll(() => answers.observed).toBe(true);
  stop.abort();
  await finished;
  expect(answers.observed).toBe(false);
});

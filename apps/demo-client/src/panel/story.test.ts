import { expect, test } from 'vitest';
import { type Plot, story } from './story.js';

const running = (factor = 1) => ({ process: 'running' as const, factor });
const plot: Plot = {
  phase: 'balanced',
  status: 'running',
  rate: 240,
  capacity: 200,
  backends: [running(), running(), running(), running(), running(3)],
};

test('the first phase says why it falls behind', () => {
  expect(story({ ...plot, phase: 'nest-default' })).toBe(
    'One backend answers 200 calls a second, and you send 240 to it: every second 40 more wait, while the other 4 sit idle.',
  );
  expect(story({ ...plot, phase: 'nest-default', rate: 100 })).toContain('which can answer 200');
  expect(story({ ...plot, phase: 'nest-default', capacity: null })).toContain('all of them go to one backend');
});

test('the second phase says who gets the calls, and whether the backends can answer them', () => {
  expect(story(plot)).toBe(
    'You send 240 calls a second. Each goes to the backend with the fewest calls in flight, of 5 that run. The slow one gets fewer, because calls stay with it longer. Together they can answer 867 a second, so nobody has to wait long.',
  );
  const stopped = plot.backends.map((each, i) => (i > 0 ? { ...each, process: 'stopped' as const } : each));
  expect(story({ ...plot, backends: stopped })).toContain('only 200 a second, so calls queue up');
  expect(story({ ...plot, backends: [] })).toContain('no backend runs');
});

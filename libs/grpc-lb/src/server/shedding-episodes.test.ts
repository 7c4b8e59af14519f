import { expect, test } from 'vitest';
import { SheddingEpisodes } from './shedding-episodes.js';

test('an episode has two lines, however much is shed in it', () => {
  let now = 0;
  const lines: string[] = [];
  const state = { limit: 4, working: 3, shed: { critical_plus: 0, critical: 0, sheddable_plus: 0, sheddable: 0 } };
  const shedder = { total: 0, state };
  const log = { warn: (text: string) => void lines.push(text), log: (text: string) => void lines.push(text) };
  const episodes = new SheddingEpisodes(shedder, log, () => now);
  const look = (at: number, total: number): void => {
    now = at;
    shedder.total = total;
    episodes.look();
  };
  look(0, 0);
  look(1000, 5);
  look(2000, 50);
  look(9000, 60);
  look(18_999, 60);
  expect(lines).toEqual(['Shedding load: 3 calls are worked on, the limit for critical ones is 4']);
  look(19_000, 60);
  look(40_000, 60);
  expect(lines.slice(1)).toEqual(['Load is no longer shed: 60 calls were in 8 s']);
  look(41_000, 61);
  expect(lines).toHaveLength(3);
});

import { describe, expect, it } from 'vitest';
import { type StreamCandidate, withFewestStreams } from './fewest-streams.js';

function endpoint(streams: number, over: Partial<StreamCandidate> = {}): StreamCandidate {
  return { streams, lingering: 0, weight: 1, warmth: 1, failureFactor: 1, ...over };
}

/** Opens streams one after the other, always at the first of the endpoints with the fewest. */
function fill(endpoints: { streams: number }[] & StreamCandidate[], streams: number): number[] {
  for (let i = 0; i < streams; i++) (withFewestStreams(endpoints)[0] as { streams: number }).streams++;
  return endpoints.map((each) => each.streams);
}

describe('a stream that lasts', () => {
  it('goes to one of the endpoints with the fewest', () => {
    const [a, b, c] = [endpoint(2), endpoint(1), endpoint(1)];
    expect(withFewestStreams([a, b, c])).toEqual([b, c]);
    const equal = [endpoint(3), endpoint(3)];
    expect(withFewestStreams(equal)).toBe(equal);
  });

  it('leaves each endpoint its weight of them', () => {
    expect(fill([endpoint(0, { weight: 3 }), endpoint(0)], 400)).toEqual([300, 100]);
  });

  it('fills a new endpoint to its warmth, not at once', () => {
    const all = [endpoint(100), endpoint(100), endpoint(0, { warmth: 0.1 })];
    expect(fill(all, 10)[2]).toBe(10);
    expect(fill(all, 20)[2]).toBeLessThanOrEqual(12);
    Object.assign(all[2]!, { warmth: 1 });
    expect(fill(all, 90)[2]).toBeGreaterThan(99);
  });

  it('avoids an endpoint that fails, or refuses what others take, though it has none', () => {
    const [works, fails] = [endpoint(3), endpoint(0, { failureFactor: 10 })];
    expect(withFewestStreams([works, fails])).toEqual([works]);
    expect(withFewestStreams([works, endpoint(0, { lingering: 9 })])).toEqual([works]);
  });
});

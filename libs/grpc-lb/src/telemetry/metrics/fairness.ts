import type { EndpointSnapshot } from '../../core/snapshot.js';

/** How long the attempts are counted that the shares are about: at least this, and at most twice as long. */
const WINDOW_MS = 15_000;
/** With fewer attempts for each endpoint the shares show chance. */
const LEAST_MEAN = 10;

interface Sample {
  readonly at: number;
  readonly started: ReadonlyMap<string, number>;
}

/** The largest and the smallest share of the recent attempts over the mean: 1 and 1 if all are equal. */
export interface Fairness {
  readonly max: number;
  readonly min: number;
}

/**
 * Compares the shares of the endpoints of one client, without an address in any label. It compares with a snapshot that
 * is 15 s to 30 s old, however often and by how many metrics are collected.
 */
export class FairnessWindow {
  #older: Sample | undefined;
  #newer: Sample | undefined;

  /**
   * Compares endpoints that are ready, have no slow start and have the first priority among those; of a client that
   * knows its zone, those in it, because they get more calls than others on purpose.
   *
   * @param now In milliseconds, from any beginning.
   * @param zone That of the client; null if it does not know it, the default.
   * @returns Undefined while there are fewer than two, or too few attempts to say.
   */
  update(endpoints: readonly EndpointSnapshot[], now: number, zone: string | null = null): Fairness | undefined {
    const settled = endpoints.filter(({ state, warmth }) => state === 'ready' && warmth === 1);
    const first = Math.min(...settled.map(({ priority }) => priority));
    const ofFirst = settled.filter(({ priority }) => priority === first);
    const local = ofFirst.filter(({ locality }) => locality?.zone === zone);
    const compared = local.length > 0 ? local : ofFirst;
    const sample = { at: now, started: new Map(compared.map(({ address, started }) => [address, started])) };
    const base = this.#older ?? this.#newer;
    this.#newer ??= sample;
    if (now - this.#newer.at >= WINDOW_MS) {
      this.#older = this.#newer;
      this.#newer = sample;
    }
    return base && sharesSince(base, sample);
  }
}

function sharesSince({ started: before }: Sample, { started }: Sample): Fairness | undefined {
  // Endpoints that were there all the time; one that came back counts from 0 again.
  const counts: number[] = [];
  for (const [address, count] of started) {
    const old = before.get(address);
    if (old !== undefined && count >= old) counts.push(count - old);
  }
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  if (counts.length < 2 || mean < LEAST_MEAN) return undefined;
  return { max: Math.max(...counts) / mean, min: Math.min(...counts) / mean };
}

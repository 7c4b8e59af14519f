import type { Policy } from '../core/policy/policy.js';
import type { Rotation } from './rotation.js';
import type { LevelTraffic, Traffic } from './traffic.js';

/** For people: the chance of each endpoint to get the next call, as things stand. */
export function chancesOf(
  traffic: Traffic,
  policy: Policy,
  crossShare: (level: LevelTraffic) => number,
): [address: string, chance: number][] {
  return traffic.open.flatMap((level) => {
    const { share, near, far } = level;
    if (!far) return within(near, policy, share);
    const crossing = crossShare(level);
    return [...within(near, policy, share * (1 - crossing)), ...within(far, policy, share * crossing)];
  });
}

function within({ warm, cold, pickable }: Rotation, policy: Policy, share: number): [string, number][] {
  const coldChances = cold.map(({ key, warmth }): [string, number] => [key, warmth / pickable.length]);
  const rest = 1 - coldChances.reduce((sum, [, chance]) => sum + chance, 0);
  const chances = policy.chances(warm);
  const all = [...warm.map(({ key }, i): [string, number] => [key, chances[i]! * rest]), ...coldChances];
  return all.map(([key, chance]) => [key, chance * share]);
}

import type { Policy } from '../policy/policy.js';
import type { Choosable, CrossShare } from './choice.js';
import type { Rotation } from './rotation.js';
import type { Traffic } from './traffic.js';

/** For people: the chance of each endpoint to get the next call, as things stand. */
export function chancesOf<E extends Choosable>(
  traffic: Traffic<E>,
  policy: Policy,
  crossShare: CrossShare<E>,
): [address: string, chance: number][] {
  return traffic.open.flatMap((level) => {
    const { share, near, far } = level;
    if (!far) return within(near, policy, share);
    const crossing = crossShare(level);
    return [...within(near, policy, share * (1 - crossing)), ...within(far, policy, share * crossing)];
  });
}

function within<E extends Choosable>(
  { warm, cold, pickable }: Rotation<E>,
  policy: Policy,
  share: number,
): [string, number][] {
  if (policy.sticky) return chancesIn(pickable, policy, share);
  const coldChances = cold.map(({ key, warmth }): [string, number] => [key, (warmth / pickable.length) * share]);
  const rest = share - coldChances.reduce((sum, [, chance]) => sum + chance, 0);
  return [...chancesIn(warm, policy, rest), ...coldChances];
}

function chancesIn<E extends Choosable>(endpoints: readonly E[], policy: Policy, share: number): [string, number][] {
  const chances = policy.chances(endpoints);
  return endpoints.map(({ key }, i) => [key, chances[i]! * share]);
}

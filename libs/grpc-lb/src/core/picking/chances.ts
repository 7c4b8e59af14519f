import type { CallInfo, Policy } from '../policy/policy.js';
import type { Choosable, CrossShare } from './choice.js';
import { Ramp } from './ramp.js';
import type { Rotation } from '../balancing/route/rotation.js';
import type { Route } from '../balancing/route/route.js';

/**
 * For display: the current chance of an endpoint to get the next call, and the progress of its slow start as a fraction
 * of its full share, 1 otherwise.
 */
export type EndpointChance = readonly [address: string, chance: number, ramp: number];

export function chancesOf<E extends Choosable>(
  route: Route<E>,
  policy: Policy,
  crossShare: CrossShare<E>,
  call?: CallInfo,
): EndpointChance[] {
  const within = (rotation: Rotation<E>, share: number): EndpointChance[] =>
    chancesWithin(rotation, policy, share, call);
  return route.open.flatMap((priority) => {
    const { share, localZone, otherZones } = priority;
    if (!otherZones) return within(localZone, share);
    const crossing = crossShare(priority);
    return [...within(localZone, share * (1 - crossing)), ...within(otherZones, share * crossing)];
  });
}

function chancesWithin<E extends Choosable>(
  rotation: Rotation<E>,
  policy: Policy,
  share: number,
  call: CallInfo | undefined,
): EndpointChance[] {
  const { pickable, warm, cold } = rotation;
  const amongAll = policy.chances(pickable, call);
  if (policy.sticky || cold.length === 0) return pickable.map(({ key }, i) => [key, amongAll[i]! * share, 1]);
  const { even, considered, coldShares } = new Ramp(rotation, policy).look();
  const rest = 1 - considered.reduce((sum, part) => sum + part, 0);
  const amongWarm = policy.chances(warm, call);
  let [i, j] = [0, 0];
  return pickable.map((endpoint, at) => {
    const { key, warmth } = endpoint;
    const isCold = endpoint === cold[j];
    const hasShare = isCold && coldShares[j]! > 0;
    const onTheRamp = isCold ? considered[j++]! : amongWarm[i++]! * rest;
    const chance = even * amongAll[at]! + (1 - even) * onTheRamp;
    return [key, chance * share, hasShare ? even + (1 - even) * warmth : 1];
  });
}

import type { Calls } from '../model/calls.js';
import { sharedNow } from './shared-clock.js';

/**
 * Makes each call of this client at its intended time, or as soon after it as the event loop comes to it, whatever
 * became of those before. Resolves when the last one is on its way.
 */
export function openLoop(
  calls: Calls,
  client: number,
  startsAt: number,
  call: (index: number, intended: number) => void,
): Promise<void> {
  let next = 0;
  const skipOthers = (): void => {
    while (next < calls.count && calls.client[next] !== client) next++;
  };
  return new Promise((resolve) => {
    const turn = (): void => {
      for (skipOthers(); next < calls.count; skipOthers()) {
        const intended = startsAt + calls.at[next]!;
        const early = intended - sharedNow();
        if (early > 0) {
          setTimeout(turn, Math.ceil(early));
          return;
        }
        call(next++, intended);
      }
      resolve();
    };
    turn();
  });
}

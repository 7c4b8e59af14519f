import { type Random, randomBelow } from '../core/random.js';

/** One action for each of several items, spread over a time. */
export interface Staggered {
  cancel(): void;
}

/**
 * Calls `act` for each item, in random order and evenly spread over `duration` milliseconds from `delay` on; each at a
 * random moment of its share of that time. It needs one timer at a time.
 */
export function staggered<T>(
  items: readonly T[],
  { delay, duration }: { readonly delay: number; readonly duration: number },
  act: (item: T) => void,
  random: Random = Math.random,
): Staggered {
  const order = shuffled(items, random);
  const share = duration / order.length;
  const begin = performance.now() + delay;
  const begun = (i: number): boolean => i < order.length && begin + i * share <= performance.now();
  let next = 0;
  let timer: NodeJS.Timeout | undefined;
  const wait = (): void => {
    if (next === order.length) return;
    timer = setTimeout(run, begin + (next + random()) * share - performance.now());
  };
  const run = (): void => {
    // Those whose time has begun meanwhile need no timer.
    do act(order[next++]!);
    while (begun(next));
    wait();
  };
  wait();
  return { cancel: () => clearTimeout(timer) };
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], random: Random): T[] {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = randomBelow(random, i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

import { aperture, randomSubset } from '../dispatch/subsets.js';
import { exponential } from '../engine/distributions.js';
import type { Scenario } from '../scenario.js';
import { SECOND, unary, USUAL } from './common.js';

const HUNDRED = { servers: 100, slots: 8, capacity: 800, workload: { duration: 5 * SECOND, methods: USUAL } } as const;

/** Longer calls, because a second of a thousand backends would otherwise have more of them than needed. */
const THOUSAND = {
  servers: 1000,
  slots: 8,
  capacity: 8000,
  workload: { duration: 3 * SECOND, methods: unary(exponential(100)) },
  clients: [100],
} as const;

export const hundred: Scenario = {
  ...HUNDRED,
  name: 'hundred',
  title: 'A hundred backends',
  explains:
    'Every client knows all hundred, and compares them all for each call. With ten times as many backends the chance that two clients choose the same one at the same time is smaller, but each client also has fewer calls on each of them to learn from.',
};

export const hundredAperture: Scenario = {
  ...HUNDRED,
  name: 'hundred_aperture',
  title: 'A hundred backends, twenty for each client',
  explains:
    'Each client connects to a window of twenty, set off so that all backends have as many clients (a deterministic aperture). Fewer connections, and each client knows more about the backends that it has, since it shares them with fewer others.',
  clients: [10, 100],
  subset: aperture(20),
};

export const thousand: Scenario = {
  ...THOUSAND,
  name: 'thousand',
  title: 'A thousand backends',
  explains:
    'A hundred clients know all thousand, which makes a hundred thousand connections. Above a hundred endpoints most policies compare only a few for each call, drawn at random.',
};

export const thousandAperture: Scenario = {
  ...THOUSAND,
  name: 'thousand_aperture',
  title: 'A thousand backends, twenty for each client',
  explains:
    'A deterministic aperture of twenty: two thousand connections in place of a hundred thousand, two for each backend. Each client sees half of the load of its backends with its own eyes, and the calls in flight tell nearly all.',
  subset: aperture(20),
};

export const thousandRandom: Scenario = {
  ...THOUSAND,
  name: 'thousand_random',
  title: 'A thousand backends, twenty at random for each client',
  explains:
    'Random subsets (gRFC A68) are simpler, but a hundred times twenty draws leave one backend in seven without any client, while others have six. No policy can mend that, since the load that a client brings has to go to one of its twenty.',
  subset: randomSubset(20),
};

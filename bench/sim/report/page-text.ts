import type { Plan } from '../plan.js';
import type { Cell } from './cells.js';
import { bestPeerTable, byLatency, peerTable } from './summary.js';
import { toMarkdown } from './tables.js';

export function introduction({ seeds }: Plan): string {
  const today = new Date().toISOString().slice(0, 10);
  return `# The laboratory

Which policy is best, and when? Here every policy of this package that spreads calls, which is all but \`ring_hash\` and \`pick_first\`, is measured in virtual time, where nothing but the policy differs: the same calls, with the same work, at the same times, from the same clients.

\`\`\`sh
npm run sim -- --write   # this page and its plots; about half an hour on two cores
npm run sim -- --quick   # one situation of each scenario, in about a minute
npm run sim -- --policies adaptive,peak_ewma --scenarios two_slow --clients 100 --load 0.7   # a few seconds
\`\`\`

This page was written on ${today} with the seeds ${seeds.join(', ')} on Node ${process.versions.node}. The same seeds give the same digits on any machine with that version of Node.

## How to read it

- **The unit is the central queue**: one line for all backends, first come, first served, the fastest free slot first. It decides when a slot is free, not when a call is made, so with equal backends no client can do as well, and 1.00 is the best there is. With unequal ones it gives a call to a slow slot that is free rather than let it wait a moment for a fast one, so that a policy that shuns the slow ones can go below 1.
- **Perfect knowledge** chooses when the call arrives, as a client must, but knows every line, and how long every call in it will take. What lies between it and a policy is what the policy does not know; what lies between it and 1.00 is the price of choosing early.
- **Load** is the share of what all backends together can do. **Clients** know their own calls in flight, how those before ended and how long they took, and what backends report in trailers. They know nothing of each other.
- **p99** is the latency that one call in a hundred exceeds, p99.9 one in a thousand: what a page feels that makes thirty calls. Every figure is the mean of the ratios over the seeds. Within 3 % two policies count as equal.

## What is simulated, and what is not

Time and servers are simulated; the choice is not. The policies, the ledger of calls in flight, ejection, the failure factor, probes, slow start, subsets and the order in which they act are the code that runs in production, on a virtual clock and seeded chance. Backends have eight slots and a line in front of them, unless a scenario says otherwise, and report their load in trailers as the server side of this package does, over its window of 5 s and, for the event loop, at that time. A message takes 0.5 ms over the network each way, unless a scenario is about distances. What a client does beyond one attempt (retries, hedges, their limits) is the plan of a call of production too; a server finishes what its client has given up. Connections are always up: stream limits, handshakes and lost packets are the business of the tests over real sockets.

Work is drawn for each call before the run, and a call keeps the speed that its backend had when it began. Calls arrive as a Poisson process, independent of how long earlier calls take, and latencies count from the moment a call is made. A run begins with empty lines and clients that know nothing, and all of it counts.

\`test/properties/sim-theory.test.ts\` checks the simulator against queueing theory: M/M/1, M/M/c and round robin over two servers.

## A policy of your own

A module whose default export is \`(random, clock) => Policy\` takes part like any other; a TypeScript file below \`bench/sim/variants\` is compiled with the simulator. A policy of the package may be given with its options, and the options around it may be changed for all of them:

\`\`\`sh
npm run sim -- --scenarios few --policies p2c,bench/sim/variants/with-replacement.ts
npm run sim -- --scenarios one_slow --policies 'adaptive,{"name":"peak_ewma","decayTime":2000}'
npm run sim -- --scenarios two_slow --policies adaptive,adaptive+hedge
npm run sim -- --scenarios fast_failure --balancing '{"ejection":{"enabled":false}}'
\`\`\``;
}

export function summary({ scenarios }: Plan, cells: readonly Cell[]): string {
  const counted = byLatency(scenarios, cells);
  return `## \`adaptive\` against the field

Its latency over that of another policy in the same situation: below 0.97 it is better, up to 1.03 equal. The last row takes the best of all others in each situation by itself, which no single policy is.

${toMarkdown(peerTable(counted))}

### Against the best of the others, p99

Bold is better; where it is worse, the better policy is named.

${toMarkdown(bestPeerTable(scenarios, counted, 'p99'))}

### Against the best of the others, p99.9

${toMarkdown(bestPeerTable(scenarios, counted, 'p999'))}`;
}

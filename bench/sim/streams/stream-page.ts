import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { toMarkdown } from '../report/tables.js';
import type { StreamScenario } from './stream-scenario.js';
import { type StreamRow, streamTable } from './stream-table.js';

const PAGE = 'docs/measurements/streams.md';

/** Writes the page of long streams; run it from the root of the repository. */
export function writeStreamPage(
  chapters: readonly { readonly scenario: StreamScenario; readonly rows: readonly StreamRow[] }[],
  seeds: readonly number[],
): void {
  const text = [introduction(seeds), ...chapters.map(({ scenario, rows }) => chapter(scenario, rows))].join('\n\n');
  writeFileSync(PAGE, `${text}\n`);
  execFileSync('npx', ['oxfmt', PAGE], { stdio: ['ignore', 'ignore', 'inherit'] });
}

function chapter({ title, explains }: StreamScenario, rows: readonly StreamRow[]): string {
  return [`## ${title}`, explains, toMarkdown(streamTable(rows))].join('\n\n');
}

function introduction(seeds: readonly number[]): string {
  const today = new Date().toISOString().slice(0, 10);
  return `# The laboratory of streams

How soon do new backends carry their part of long [streams](../guide/policies.md#streams), and at the price of how many moves? A thousand streams last half an hour on average, and as many begin as end: one every 1.8 s. Only that brings streams to a new backend unless they move.

\`\`\`sh
npm run sim -- --streams           # these tables
npm run sim -- --streams --write   # this page; half a minute
\`\`\`

This page was written on ${today} with the seeds ${seeds.join(', ')} on Node ${process.versions.node}.

Time and backends are simulated; the decisions are not. Members, picks by \`least_request\`, slow start and the placement of streams are the code that runs in production, on a virtual clock and seeded chance. A change of discovery reaches each client within a second, a stream has its first token after 100 ms, and a handover takes 50 ms.

- **Seconds to 80 %**: until every backend carries at least 80 % of the mean; the lowest and the highest of the seeds.
- **Moves a minute**: the mean over half an hour from the change on, as long as a stream lasts; over the first ten minutes of it; and the busiest minute. A maximum age ends streams on the server, so that its restarts are no moves: with 5 min there are 200 a minute for ever.
- **Arrivals in a second**: streams opened at one backend in its busiest second, after the change.
- **Fullest at the end**: the fullest backend over the mean, half an hour later.

**Defaults**: a client moves one stream in ten seconds for each thirty that it has, and at least one ([\`streams.rebalance\`](../reference/options.md#streams)); **one move each 10 s**: whatever it has.

What is possible: the new two carry 80 % of the mean when they have 160 streams. About 33 arrive in a minute, so that moves must bring 127 within the first minute: 12.7 a minute over ten minutes, and no fewer than 127 in the busiest one. If only endpoints gave that hold a tenth more than the mean, moves would end at 60 % for a client that has all the streams, and arrivals would need another minute: so endpoints that fill a new one need to hold only half as much more ([063](../decisions/063-streams-that-follow.md)).

A thousand clients with one stream each cannot see who carries more; they fill new backends because each knows that they are new, and takes part with a probability ([056](../decisions/056-shares-of-streams.md)).`;
}

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, totalmem } from 'node:os';
import { DEADLINE_MS } from './matchup.js';
import { type Result, type Skipped, table } from './table.js';

/** How the results came about. */
export interface Run {
  readonly command: string;
  /** Calls a second. */
  readonly rate: number;
  readonly seconds: number;
}

/** docs/measurements/chaos.md. */
export function report(results: readonly (Result | Skipped)[], { command, rate, seconds }: Run): string {
  const missed = results.filter((result) => 'missed' in result && result.missed.length > 0).length;
  const skipped = results.filter((result) => 'skipped' in result).length;
  const passes = results.length - skipped;
  return `# When backends fail

Written by \`${command}\` on ${new Date().toISOString().slice(0, 10)}, in ${Math.round(seconds)} s; do not edit. ${machine()}

${passes - missed} of ${passes} bounds are met${skipped > 0 ? `; ${skipped === 1 ? 'one scenario was' : `${skipped} scenarios were`} skipped` : ''}.

## How it is measured

Five backends, ${rate} calls a second of 20 ms as an open loop, a deadline of ${DEADLINE_MS / 1000} s, default settings unless said. Backends and
clients are processes of their own. Both clients go through a scenario at the same time, each with its own set of
backends, and the same is done to both sets at the same moment: what else the machine does hits both. The peer is grpc-js
\`round_robin\` at its defaults, with the same retry policy where there are retries.

- **failed calls** are all of the run, warm-up included.
- **out of rotation** is the time from the fault to the last call that was put on a connection to the victim, seen on the
  wire for both alike; for nestjs-grpc-lb the event that says so counts if it is later. "never": calls went on until the
  end. Single probes of an ejected endpoint do not count, and are told below the table. With several victims, of each.
- **back again** is the time from the end of the fault to the first call; with several victims, of the slowest.
- **p50 / p99** are of all calls due in that time, failed ones included, from when each was due.

${sections(results)}
`;
}

function sections(results: readonly (Result | Skipped)[]): string {
  const titles = [...new Set(results.map(({ scenario }) => scenario.title))];
  return titles
    .map((title) => {
      const parts = results.filter(({ scenario }) => scenario.title === title);
      const { name } = parts[0]!.scenario;
      const texts = parts.map((part) => ('skipped' in part ? `Skipped: ${part.skipped}.` : table(part)));
      return `## ${title[0]!.toUpperCase()}${title.slice(1)}\n\n\`--only ${name}\`\n\n${texts.join('\n\n')}`;
    })
    .join('\n\n');
}

function machine(): string {
  const [cpu] = cpus();
  const grpcJs = createRequire(import.meta.url).resolve('@grpc/grpc-js/package.json');
  const { version } = JSON.parse(readFileSync(grpcJs, 'utf8')) as { version: string };
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  return `Node ${process.version}, grpc-js ${version}, ${process.platform}, ${cpus().length} x ${cpu?.model.trim()}, ${gigabytes} GB.`;
}

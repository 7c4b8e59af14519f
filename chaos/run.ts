/**
 * Sick backends, real processes: each scenario with figures, against grpc-js round_robin in the same run. Ends with 1 if
 * nestjs-grpc-lb misses a bound.
 *
 *   npm run chaos -- [--only NAME,NAME] [--rate 300] [--list] [--write]
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { RATE, runMatchup } from './matchup.js';
import { now } from './clock.js';
import { report } from './report.js';
import type { Scenario } from './scenario.js';
import { blackhole } from './scenarios/blackhole.js';
import { failingBackend } from './scenarios/failing-backend.js';
import { fullOutage } from './scenarios/full-outage.js';
import { hungBackend } from './scenarios/hung-backend.js';
import { overload } from './scenarios/overload.js';
import { refusingBackend } from './scenarios/refusing-backend.js';
import { sharedFailures } from './scenarios/shared-failures.js';
import { killedBackend } from './scenarios/killed-backend.js';
import { metastable } from './scenarios/metastable.js';
import { newPod } from './scenarios/new-pod.js';
import { notServing } from './scenarios/not-serving.js';
import { panic } from './scenarios/panic.js';
import { rollingKill } from './scenarios/rolling-kill.js';
import { rollingRestart } from './scenarios/rolling-restart.js';
import { silentPeer } from './scenarios/silent-peer.js';
import { stoppedBackend } from './scenarios/stopped-backend.js';
import { type Result, type Skipped, table } from './table.js';

const SCENARIOS = [
  failingBackend,
  killedBackend,
  rollingRestart,
  rollingKill,
  notServing,
  stoppedBackend,
  blackhole,
  silentPeer,
  hungBackend,
  ...fullOutage,
  panic,
  newPod,
  sharedFailures,
  overload,
  metastable,
  refusingBackend,
] as readonly Scenario[];

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rate: { type: 'string', default: String(RATE) },
    list: { type: 'boolean' },
    write: { type: 'boolean' },
  },
});
const only = values.only?.split(',');
const chosen = SCENARIOS.filter(({ name }) => only?.includes(name) ?? true);
const unknown = only?.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name)) ?? [];
if (unknown.length > 0) console.error(`There is no scenario ${unknown.join(', ')}; these are:`);
if (values.list || unknown.length > 0) {
  for (const { name, title } of SCENARIOS) console.log(`${name}: ${title}`);
  process.exit(values.list ? 0 : 2);
}

const rate = Number(values.rate);
const started = now();
const results: (Result | Skipped)[] = [];
for (const scenario of chosen) {
  console.log(`\n## ${scenario.name}: ${scenario.title}\n`);
  const skipped = await scenario.missing?.();
  if (skipped !== undefined) {
    console.log(`Skipped: ${skipped}.`);
    results.push({ scenario, skipped });
    continue;
  }
  for (const pass of scenario.passes) {
    const outcomes = await runMatchup(scenario, pass, rate);
    const result = { scenario, pass, outcomes, missed: pass.judge(outcomes['grpc-lb'], outcomes.round_robin) };
    results.push(result);
    console.log(`${table(result)}\n`);
  }
}
const seconds = (now() - started) / 1000;
if (values.write) {
  const path = fileURLToPath(new URL('../../../docs/measurements/chaos.md', import.meta.url));
  await writeFile(
    path,
    report(results, { command: `npm run chaos -- --write${rate === RATE ? '' : ` --rate ${rate}`}`, rate, seconds }),
  );
  await promisify(execFile)('npx', ['oxfmt', path]);
}
const missed = results.filter((result) => 'missed' in result && result.missed.length > 0);
console.log(`${results.length} passes in ${seconds.toFixed(0)} s, ${missed.length} bounds missed`);
process.exitCode = missed.length > 0 ? 1 : 0;

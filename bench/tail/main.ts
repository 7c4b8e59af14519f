// The bench over real sockets: every subject on the same calls. `npm run bench tail -- --help` names the options.
import { fileURLToPath } from 'node:url';
import { type Subject, subjectNamed } from './subjects.js';
import type { RunSpec } from './model/run-spec.js';
import type { Scenario } from './model/scenario.js';
import { type TailOptions, tailOptions, USAGE } from './options.js';
import { Backends } from './processes/backends.js';
import { progressLine, tell } from './report/console.js';
import { runOnce } from './run.js';
import type { RunResult } from './result.js';
import { saveResults } from '../results/store.js';

const proto = fileURLToPath(new URL('../../../../bench/tail/work.proto', import.meta.url));

async function main(options: TailOptions): Promise<void> {
  const backends = await Backends.start(proto, options.processes);
  const results: RunResult[] = [];
  const plan = planOf(options);
  try {
    await warmUp(options, backends);
    for (const [i, { subject, spec }] of plan.entries()) {
      const result = await runOnce(subject, spec, backends, proto);
      results.push(result);
      // What has been measured is kept, should the rest be broken off.
      saveResults('tail', 'tail', { results });
      process.stderr.write(`${i + 1} of ${plan.length}  ${progressLine(result)}\n`);
    }
  } finally {
    await backends.stop();
  }
  tell(results);
  if (options.write) await import('../results/page.js');
}

interface Task {
  readonly subject: Subject;
  readonly spec: RunSpec;
}

/** Round by round, so that what befalls the machine befalls all; each round begins with another subject. */
function planOf({ rounds, clients, scenarios, subjects, base }: TailOptions): Task[] {
  const tasks: Task[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const count of clients) {
      for (const scenario of scenarios) {
        const spec = { ...base, scenario: scenario.name, seed: round, clients: count };
        const present = subjects.filter(({ kind }) => kind !== 'queue' || count === 1);
        for (let i = 0; i < present.length; i++) {
          tasks.push({ subject: present[(i + round) % present.length]!, spec });
        }
      }
    }
  }
  return tasks;
}

/** A run that does not count: the backends' code is compiled then. */
async function warmUp({ scenarios, base }: TailOptions, backends: Backends): Promise<void> {
  const scenario: Scenario = scenarios[0]!;
  const spec = { ...base, scenario: scenario.name, seed: 0, clients: 1, warmUp: 2, seconds: 2 };
  await runOnce(subjectNamed('least_request'), spec, backends, proto);
}

if (process.argv.includes('--help')) console.log(USAGE);
else {
  try {
    await main(tailOptions(process.argv.slice(2)));
  } catch (error) {
    // What was asked for cannot be done: why, without a stack.
    if (!(error instanceof RangeError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

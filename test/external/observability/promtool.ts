import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { stringify } from 'yaml';

const run = promisify(execFile);
const alerts = fileURLToPath(new URL('../../../deploy/observability/alerts/', import.meta.url));

/** The committed rules. */
export const RULE_FILES: readonly string[] = ['slo.yaml', 'balancer.yaml'].map((file) => join(alerts, file));

/** Which alerts fire at a minute: exactly these. */
export interface Expected {
  readonly minute: number;
  readonly firing: readonly string[];
}

export interface InputSeries {
  readonly series: string;
  readonly values: string;
}

/** Evaluates the rules every few minutes. Fails with promtool's own words if other alerts fire. */
export async function testRules(
  series: readonly InputSeries[],
  expected: readonly Expected[],
  everyMinutes = 1,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'grpc-lb-promtool-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, 'test.yaml');
  const test = {
    rule_files: RULE_FILES,
    evaluation_interval: `${everyMinutes}m`,
    tests: [{ interval: '1m', input_series: series, promql_expr_test: expected.map(firing) }],
  };
  await writeFile(file, stringify(test));
  await promtool('test', 'rules', file);
}

function firing({ minute, firing: names }: Expected): object {
  return {
    expr: 'group by (alertname) (ALERTS{alertstate="firing"})',
    eval_time: `${minute}m`,
    exp_samples: names.map((name) => ({ labels: `{alertname="${name}"}`, value: 1 })),
  };
}

/** What it says; its error has what it says of faults. */
export async function promtool(...args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run('promtool', [...args]);
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`promtool ${args.join(' ')}\n${stdout}${stderr}`, { cause: error });
  }
}

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startDemo } from './demo-process.js';

const SCRIPT = fileURLToPath(new URL('../../../apps/demo.mjs', import.meta.url));
const run = promisify(execFile);

interface Summary {
  readonly machine: { readonly cpus: number };
  readonly phases: readonly {
    readonly phase: string;
    readonly policy: string;
    readonly calls: number;
    readonly errors: number;
    readonly p50: number;
    readonly p99: number;
    readonly endpoints: Readonly<Record<string, number>>;
  }[];
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

test('--seconds --json ends by itself, and writes what each phase did', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'demo-'));
  const file = join(directory, 'summary.json');
  await run(process.execPath, [SCRIPT, '--seconds', '6', '--rate', '240', '--port', '0', '--json', file]);
  const { machine, phases } = JSON.parse(await readFile(file, 'utf8')) as Summary;
  await rm(directory, { recursive: true });

  expect(machine.cpus).toBeGreaterThan(0);
  expect(phases.map(({ phase, policy, calls, errors }) => ({ phase, policy, calls, errors }))).toEqual([
    { phase: 'nest-default', policy: 'pick_first', calls: 720, errors: 0 },
    { phase: 'balanced', policy: 'least_request', calls: 720, errors: 0 },
  ]);
  const [stock, balanced] = phases.map((phase) => Object.values(phase.endpoints));
  expect(stock).toEqual([720, 0, 0, 0, 0]);
  expect(balanced).toHaveLength(5);
  expect(sum(balanced ?? [])).toBe(720);
  const slow = balanced?.at(-1) ?? 0;
  expect(slow).toBeGreaterThan(0);
  // Three times slower, so about a third of what each other one gets; an equal share would be a fifth of all.
  for (const fast of balanced?.slice(0, -1) ?? []) expect(fast).toBeGreaterThan(slow * 1.4);
  expect(phases[1]?.p99).toBeLessThan(phases[0]?.p99 ?? 0);
});

test('killed outright, it leaves no process behind', async () => {
  const { process: demo } = await startDemo('--port', '0');
  const children = await childrenOf(demo.pid);
  expect(children).toHaveLength(6);
  await demo.kill();
  await expect.poll(() => children.filter(isAlive), { timeout: 30_000 }).toEqual([]);
});

test.each([
  [['--rate', 'fast', '--nonsense'], '--nonsense is not a flag'],
  [['--json', '/does/not/exist/summary.json'], 'cannot write to the directory /does/not/exist'],
])('flags %j are rejected with code 2', async (flags, message) => {
  const error = await run(process.execPath, [SCRIPT, ...flags]).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 2, stderr: expect.stringContaining(message) as string });
});

async function childrenOf(pid: number | undefined): Promise<number[]> {
  const { stdout } = await run('ps', ['-o', 'pid=', '--ppid', String(pid)]);
  return stdout.trim().split(/\s+/).map(Number);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

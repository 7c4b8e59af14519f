import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { installed, place } from './install.js';
import { run } from './run.js';

const ANSWERS = {
  // 40 calls in one tick.
  shares: [20, 20],
  follow: ['f0', 'f1', 'f2'],
  upload: ['a,b,c'],
  talk: ['a', 'b', 'c'],
  talkOfIterable: ['a', 'b'],
  deadline: 4,
  canceled: 1,
};

let app: string;
let servers: ChildProcess;
let target: string;

beforeAll(async () => {
  app = place(await installed('nest-12'), 'runtimes', 'module');
  servers = spawn(process.execPath, ['servers.mjs'], { cwd: app, stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(servers.stdout!), 'line')) as [string];
  target = `static:///${(JSON.parse(line) as string[]).join(',')}`;
}, 200_000);

afterAll(() => servers.kill());

async function answersOf(command: string, args: readonly string[]): Promise<unknown> {
  const ran = await run(command, args, app, 60_000, { ...process.env, TARGET: target });
  expect(ran.code, ran.output).toBe(0);
  return JSON.parse(ran.stdout.trim().split('\n').at(-1)!);
}

describe('calls of all four kinds are balanced', () => {
  it.each([
    ['in the workers of a cluster', 'cluster.mjs'],
    ['in worker threads', 'threads.mjs'],
  ])('%s', async (_, program) => {
    expect(await answersOf(process.execPath, [program])).toEqual([ANSWERS, ANSWERS]);
  });
});

// From npm, as an application would install them; their binaries are in packages for each platform.
const RUNTIMES = [
  { name: 'bun', version: '1.4.5', of: () => 'node_modules/bun/bin/bun.exe', args: [] },
  { name: 'deno', version: '2.9.6', of: denoOf, args: ['run', '-A', '--node-modules-dir=manual'] },
];

function denoOf(): string {
  return `node_modules/@deno/${process.platform}-${process.arch}${process.platform === 'linux' ? '-glibc' : ''}/deno`;
}

describe.each(RUNTIMES)('calls of all four kinds are balanced by $name $version', ({ name, version, of, args }) => {
  let binary: string;

  beforeAll(async () => {
    const home = join(inject('directory'), `runtime-${name}`);
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'package.json'), '{ "private": true }');
    await run('npm', ['install', '--no-audit', '--no-fund', `${name}@${version}`], home, 170_000);
    binary = join(home, of());
  }, 180_000);

  it.each(['main.mjs', 'cluster.mjs', 'threads.mjs'])('in %s', async (program, { skip }) => {
    if (!existsSync(binary)) skip(`no ${name}@${version} to be had here`);
    const answers = (await answersOf(binary, [...args, program])) as unknown[];
    expect(answers).toEqual(answers.map(() => ANSWERS));
    expect(answers).toHaveLength(program === 'main.mjs' ? 1 : 2);
  });
});

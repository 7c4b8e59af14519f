import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
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
}, 900_000);

afterAll(() => servers.kill());

async function answersOf(command: string, args: readonly string[]): Promise<unknown> {
  const ran = await run(command, args, app, 240_000, { ...process.env, TARGET: target });
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

// From npm, as an application would install them. Their binaries are in packages for each platform; the install script of
// bun, which npm may not run, moves it.
const PLATFORM = `${process.platform}-${process.arch}`;
const RUNTIMES = [
  { name: 'bun', version: '1.4.5', binaries: [`@oven/bun-${PLATFORM}/bin/bun`, 'bun/bin/bun.exe'], args: [] },
  {
    name: 'deno',
    version: '2.9.6',
    binaries: [`@deno/${PLATFORM}-glibc/deno`, `@deno/${PLATFORM}/deno`],
    args: ['run', '-A', '--node-modules-dir=manual'],
  },
];

describe.each(RUNTIMES)('calls of all four kinds are balanced by $name $version', ({ name, version, ...runtime }) => {
  let binary: string | undefined;

  beforeAll(async () => {
    const home = join(inject('directory'), `runtime-${name}`);
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'package.json'), '{ "private": true }');
    await run('npm', ['install', '--no-audit', '--no-fund', `${name}@${version}`], home, 170_000);
    const found = runtime.binaries.map((path) => join(home, 'node_modules', path)).find((path) => existsSync(path));
    // npm keeps the mode of files, but not every registry does.
    if (found !== undefined) chmodSync(found, 0o755);
    binary = found;
  }, 900_000);

  it.for(['main.mjs', 'cluster.mjs', 'threads.mjs'])('in %s', async (program, { skip }) => {
    if (binary === undefined) return skip(`no ${name}@${version} to be had here`);
    const answers = (await answersOf(binary, [...runtime.args, program])) as unknown[];
    expect(answers).toEqual(Array.from({ length: program === 'main.mjs' ? 1 : 2 }, () => ANSWERS));
  });
});

import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ClientSnapshot, Explanation } from 'nestjs-grpc-lb';
import { freePort } from 'nestjs-grpc-lb/testing';
import { Child, node } from '../../apps/demo-client/src/runner/child-process.js';
import { readPage, ROOT } from './pages.js';

/** The files of the guide, and the package made from its sources. `docs.test.ts` shows that they compile. */
const folder = mkdtempSync(join(tmpdir(), 'guide-'));
const project = join(folder, 'orders');
const processes: Child[] = [];

function transpile(text: string): string {
  const options = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
  };
  return ts.transpileModule(text, { compilerOptions: options }).outputText;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function makePackage(): void {
  const sources = join(ROOT, 'libs/grpc-lb/src');
  const home = join(project, 'node_modules/nestjs-grpc-lb');
  for (const name of readdirSync(sources, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
    write(join(home, 'dist', name.replace(/\.ts$/, '.js')), transpile(readFileSync(join(sources, name), 'utf8')));
  }
  cpSync(join(ROOT, 'libs/grpc-lb/package.json'), join(home, 'package.json'));
  // All else that the guide installs.
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
}

/** Every block with a file name in its first line, with free ports in place of those in the text. */
function makeProject(ports: ReadonlyMap<string, number>): void {
  write(join(project, 'package.json'), '{ "type": "module" }');
  for (const { text } of readPage('docs/guide/getting-started.md').code) {
    const name = /^\/\/ ([\w./-]+)$/.exec(text.split('\n', 1)[0]!)?.[1];
    if (name === undefined) continue;
    const here = [...ports].reduce((all, [port, free]) => all.replaceAll(port, String(free)), text);
    if (name.endsWith('.ts')) write(join(project, name.replace(/^src/, 'dist').replace(/ts$/, 'js')), transpile(here));
    else write(join(project, name), here);
  }
}

/** Resolves when Nest says that it has started. */
async function start(program: string, env: NodeJS.ProcessEnv = {}): Promise<Child> {
  const child = new Child(node(program), { cwd: project, env, quiet: true });
  processes.push(child);
  await child.nextLine(/successfully started/);
  return child;
}

let url = '';
let backends: string[] = [];

async function get<T>(path: string): Promise<T> {
  return (await (await fetch(`${url}/${path}`, { headers: { connection: 'close' } })).json()) as T;
}

beforeAll(async () => {
  const names = ['50051', '50052', '50053', '3000'];
  const free = await Promise.all(names.map(() => freePort()));
  makePackage();
  makeProject(new Map(names.map((name, i) => [name, free[i]!])));
  backends = free.slice(0, 3).map((port) => `127.0.0.1:${port}`);
  url = `http://localhost:${free[3]}`;
});

afterAll(async () => {
  await Promise.all(processes.map((each) => each.kill()));
  rmSync(folder, { recursive: true });
});

it('the guide runs as written: calls spread over three backends, and over two when one is stopped', async () => {
  const servers = await Promise.all(
    backends.map((address) => start('dist/server.js', { PORT: address.split(':')[1] })),
  );
  await start('dist/main.js');
  const balancing = (): Promise<{ snapshot: ClientSnapshot; explain: Explanation }> => get('balancing');
  const ready = async (): Promise<number> =>
    (await balancing()).snapshot.endpoints.filter(({ state }) => state === 'ready').length;

  await expect.poll(ready).toBe(3);
  const served = async (): Promise<Set<string>> => {
    const orders: { servedBy: string }[] = [];
    // Sequential calls go to one of n at random: the probability that 60 of them miss one of three is below 10^-9.
    for (let i = 0; i < 60; i++) orders.push(await get(`orders/${i}`));
    return new Set(orders.map(({ servedBy }) => servedBy));
  };
  expect(await served()).toEqual(new Set(backends));

  servers[1]!.signal('SIGTERM');
  await servers[1]!.ended;
  await expect.poll(ready).toBe(2);
  expect(await served()).toEqual(new Set([backends[0], backends[2]]));
  const { explain } = await balancing();
  expect(explain.rule).toBe('least_request: the fewest calls in flight among all 2 ready endpoints; ties at random');
  expect(explain.endpoints.map(({ chance }) => chance)).toEqual([0.5, 0, 0.5]);
});

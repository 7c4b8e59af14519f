import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { Child, type ChildOptions, node } from './child-process.js';

const directory = mkdtempSync(join(tmpdir(), 'child-process-'));
afterAll(() => rmSync(directory, { recursive: true }));

type From = { readonly type: 'ready' } | { readonly type: 'echo'; readonly value: number };
interface To {
  readonly value: number;
}

let scripts = 0;

function start(code: string, options: ChildOptions = {}): Child<From, To> {
  const script = join(directory, `script-${scripts++}.js`);
  writeFileSync(script, code);
  const child = new Child<From, To>(node(script), { name: 'it', quiet: true, ...options });
  onTestFinished(() => child.kill());
  return child;
}

const ECHO = `
  process.on('message', ({ value }) => process.send({ type: 'echo', value }));
  process.send({ type: 'ready' });
`;

test('messages go both ways, and a wait resolves with the matching one', async () => {
  const child = start(ECHO);
  await child.next('ready');
  const second = child.next('echo', ({ value }) => value === 2);
  child.tell({ value: 1 });
  child.tell({ value: 2 });
  expect(await second).toEqual({ type: 'echo', value: 2 });
});

test('a wait fails when the process ends, with its last output', async () => {
  const child = start(`console.error('no port is free'); process.exitCode = 3;`);
  await expect(child.next('ready')).rejects.toThrow('it ended (exit 3) before it said "ready"\nno port is free');
  expect(await child.ended).toBe('exit 3');
  expect(child.isRunning).toBe(false);
});

test('a program that does not exist counts as ended, with the reason', async () => {
  const child = new Child(['no-such-program'], { quiet: true });
  expect(await child.ended).toBe('spawn no-such-program ENOENT');
});

test('lines come one by one', async () => {
  const lines: string[] = [];
  const child = start(`console.log('one\\ntwo 2')`, { onLine: (line) => lines.push(line) });
  const [, number] = await child.nextLine(/two (\d)/);
  await child.ended;
  expect([number, lines]).toEqual(['2', ['one', 'two 2']]);
});

test('a process that is stopped is killed', async () => {
  const child = start(ECHO);
  await child.next('ready');
  child.signal('SIGSTOP');
  await child.kill();
  expect(await child.ended).toBe('SIGKILL');
});

test('a process that is asked to end may finish its work', async () => {
  const child = start(`process.once('message', () => setTimeout(() => process.disconnect(), 50));
    process.send({ type: 'ready' });`);
  await child.next('ready');
  await child.end({ value: 0 });
  expect(await child.ended).toBe('exit 0');
});

/** `npm run demo`: builds what has changed, says what it builds, and runs. Plain JavaScript, because it runs before there is a build. */
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const modifiedAt = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

// Help and bad flags need not wait for the build if an earlier one knows the same flags.
const flags = 'demo-client/dist/runner/flags.js';
if (modifiedAt(here(flags)) > modifiedAt(here('demo-client/src/runner/flags.ts'))) {
  const { answerWithoutRunning } = await import(`./${flags}`);
  if (answerWithoutRunning(process.argv.slice(2))) process.exit();
}

const sources = ['../libs/grpc-lb/src', 'demo-server/src', 'demo-server/contract', 'demo-client/src'];
const settings = ['../package-lock.json', '../nest-cli.json', '../tsconfig.base.json'];
const results = ['../libs/grpc-lb/dist/index.js', 'demo-server/dist/main.js', 'demo-client/dist/main.js'];
// Each build of the client empties the folder of this file.
const stamp = here('demo-client/dist/.built');

if (!upToDate()) {
  const startedAt = new Date();
  const steps = [
    ['the package nestjs-grpc-lb', 'grpc-lb'],
    ['the backend, demo-server', 'demo-server'],
    ['the client with its page, demo-client', 'demo-client'],
  ];
  steps.forEach(([what, project], i) => build(`building ${i + 1} of ${steps.length}: ${what}`, project));
  writeFileSync(stamp, '');
  // What was changed while the build ran may not be in it.
  utimesSync(stamp, startedAt, startedAt);
}
await import('./demo-client/dist/runner/main.js');

function upToDate() {
  const builtAt = modifiedAt(stamp);
  const inputs = sources.flatMap((folder) => {
    const names = readdirSync(here(folder), { recursive: true, encoding: 'utf8' });
    return [here(folder), ...names.map((name) => `${here(folder)}/${name}`)];
  });
  const newest = Math.max(...[...inputs, ...settings.map(here)].map(modifiedAt));
  return newest < builtAt && results.every((path) => modifiedAt(here(path)) > 0);
}

/** Says what is built before, and how long it took after, because the first time takes a while. */
function build(says, project) {
  process.stderr.write(`${says} ... `);
  const began = performance.now();
  const result = spawnSync('npx', ['--no-install', 'nest', 'build', project], {
    cwd: here('..'),
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) {
    process.stderr.write(`\n${result.stdout}${result.stderr}demo: the build failed\n`);
    process.exit(1);
  }
  process.stderr.write(`${((performance.now() - began) / 1000).toFixed(1)} s\n`);
}

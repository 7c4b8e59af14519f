/**
 * `npm run bench`: all that docs/measurements/benchmarks.md shows, one after the other. `npm run bench PART -- [options]`:
 * one part. Without a part the options are those of `tail`.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PARTS: Readonly<Record<string, readonly string[]>> = {
  tail: ['tail/main.js'],
  cpu: ['peers/client-cpu.js'],
  metrics: ['telemetry/call-cpu.js', 'telemetry/scrape.js'],
  traces: ['telemetry/traces-cpu.js'],
  micro: [
    'micro/pick.js',
    'micro/call.js',
    'micro/ledger.js',
    'micro/overload.js',
    'micro/latency.js',
    'micro/endpoint-list.js',
  ],
  scale: ['micro/scale.js'],
  profile: ['peers/profile.js'],
  retained: ['peers/retained.js'],
  page: ['results/page.js'],
  streams: ['streams/main.js'],
};

function run(part: string, options: readonly string[] = []): void {
  for (const module of PARTS[part]!) {
    const path = fileURLToPath(new URL(module, import.meta.url));
    const { status } = spawnSync(process.execPath, ['--expose-gc', path, ...options], { stdio: 'inherit' });
    if (status !== 0) process.exit(status ?? 1);
  }
}

const args = process.argv.slice(2);
const parts = `npm run bench [${Object.keys(PARTS).join(' | ')}] -- [options]`;
if (args[0] !== undefined && !args[0].startsWith('-')) {
  const [part, ...options] = args;
  if (!Object.hasOwn(PARTS, part!)) {
    console.error(`There is no bench "${part}": ${parts}`);
    process.exit(1);
  }
  run(part!, options);
} else if (args.includes('--help')) {
  console.log(`${parts}\n`);
  run('tail', ['--help']);
} else {
  run(
    'tail',
    args.filter((arg) => arg !== '--write'),
  );
  // `--quick` is for a look at the tail of latency.
  if (!args.includes('--quick')) for (const part of ['cpu', 'metrics', 'micro']) run(part);
  if (args.includes('--write')) run('page');
}

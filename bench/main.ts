// All benches, one after the other. Options go to the bench over sockets: `npm run bench -- --help`.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const args = process.argv.slice(2);
const quick = args.includes('--quick');
const tail = args.filter((arg) => arg !== '--write');

function run(module: string, ...options: readonly string[]): void {
  const path = fileURLToPath(new URL(module, import.meta.url));
  const { status } = spawnSync(process.execPath, ['--expose-gc', path, ...options], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

run('tail/main.js', ...tail);
if (!args.includes('--help')) {
  // The quick one is for a look: it measures no parts.
  if (!quick) {
    run('peers/client-cpu.js');
    for (const part of ['pick', 'ledger', 'latency', 'endpoint-diff']) run(`micro/${part}.js`);
  }
  if (args.includes('--write')) run('results/page.js');
}

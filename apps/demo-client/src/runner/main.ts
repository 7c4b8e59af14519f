import { constants } from 'node:fs';
import { access, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { Demo } from './demo.js';
import { answerWithoutRunning, complain, FlagError, type Flags, readFlags } from './flags.js';
import { drawSummary } from './table.js';
import { openView } from './view.js';

const PARENT_CHECK_MS = 500;

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  if (answerWithoutRunning(args)) return;
  const flags = readFlags(args);
  if (flags === null) return;
  if (flags.json !== null) await assertWritable(flags.json);

  const view = openView(process.stdout);
  const demo = new Demo(flags, view);
  stopOnSignals(demo);
  stopWithNpm(demo);
  // The reader of the pipe has closed it.
  process.stdout.on('error', () => demo.stop());
  try {
    await demo.run();
  } finally {
    view.close();
  }
  if (demo.phases.length > 0) view.line([...drawSummary(demo.phases, view.paint), ''].join('\n'));
  if (flags.json !== null) await writeSummary(flags.json, flags, demo);
}

/** First signal: exit gracefully. Second: exit at once. */
function stopOnSignals(demo: Demo): void {
  let asked = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (asked) demo.kill();
      asked = true;
      demo.stop();
    });
  }
}

/** npm passes a signal to the shell between it and this process, and the shell does not forward it. */
function stopWithNpm(demo: Demo): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && demo.stop(), PARENT_CHECK_MS).unref();
}

async function assertWritable(file: string): Promise<void> {
  await access(dirname(file), constants.W_OK).catch(() => {
    throw new FlagError(`--json ${file}: cannot write to the directory ${dirname(file)}`);
  });
}

async function writeSummary(file: string, flags: Flags, { phases }: Demo): Promise<void> {
  const processors = cpus();
  const machine = {
    node: process.version,
    platform: process.platform,
    cpus: processors.length,
    cpu: processors[0]?.model,
  };
  const { json: _, ...settings } = flags;
  await writeFile(file, `${JSON.stringify({ machine, settings, phases }, null, 2)}\n`);
}

main().catch((error: unknown) => {
  if (error instanceof FlagError) return complain(error);
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

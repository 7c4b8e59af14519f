#!/usr/bin/env node
import { runCommand } from './run.js';

const status = await runCommand(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
process.exitCode = status;
// Node cannot cancel a DNS lookup, which would hold the process until the system gives up.
process.stdout.write('', () => process.exit(status));

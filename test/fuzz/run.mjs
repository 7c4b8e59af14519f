/**
 * `npm run test:fuzz -- --minutes 10 [--seed 7]`: that long for each target, one after the other in each file. vitest
 * refuses flags of others, so these go by the environment.
 */
import { parseArgs } from 'node:util';
import { startVitest } from 'vitest/node';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } } });
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error(`--minutes is ${values.minutes}; use a number above 0`);
process.env.FUZZ_MS = String(minutes * 60_000);
process.env.FUZZ_SEED = values.seed ?? String(Math.floor(Math.random() * 2 ** 31));
process.stdout.write(`seed ${process.env.FUZZ_SEED}\n`);
const vitest = await startVitest('test', [], {
  run: true,
  config: 'test/fuzz/vitest.config.ts',
  testTimeout: minutes * 60_000 + 120_000,
});
await vitest.close();

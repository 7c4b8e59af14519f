import { performance } from 'node:perf_hooks';
import * as fc from 'fast-check';
import { cpuTime } from '../support/time/cpu-time.js';

/** What one input may cost. It is generous, as the first ones also pay for the compiler, and any may meet the garbage collector. */
const MAX_CPU_MS = 250;

/** A few hundred of the same inputs as a part of `npm test`; `npm run test:fuzz -- --minutes 10` looks for new ones. */
const LONG_MS = Number(process.env['FUZZ_MS'] ?? 0);
const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
const CHUNK = 300;

/**
 * A test that gives inputs to a target, which throws if it breaks a promise. A failure shows the seed, and the input made
 * as small as it can be; `FUZZ_SEED=<seed> npx vitest run test/fuzz` finds it again.
 */
export function fuzz<Input>(inputs: fc.Arbitrary<Input>, target: (input: Input) => void): () => Promise<void> {
  const property = fc.property(inputs, (input) => {
    const spent = cpuTime(() => target(input));
    if (spent > MAX_CPU_MS) throw new Error(`it cost ${spent} ms of CPU; ${MAX_CPU_MS} is the most`);
  });
  return async () => {
    const end = performance.now() + LONG_MS;
    let seed = SEED;
    do {
      fc.assert(property, { seed: seed++, numRuns: CHUNK });
      // The runner wants to hear of this process now and then.
      await new Promise(setImmediate);
    } while (performance.now() < end);
  };
}

/** The answer, or undefined for a refusal that a user may read: no slip of the code, and not as long as the input. */
export function answerOf<Answer>(read: () => Answer): Answer | undefined {
  try {
    return read();
  } catch (error) {
    const slip = error instanceof TypeError || error instanceof ReferenceError;
    if (!(error instanceof Error) || slip || error.message === '') throw error;
    if (error.message.length > 2000)
      throw new Error(`a message of ${error.message.length} characters`, { cause: error });
    return undefined;
  }
}

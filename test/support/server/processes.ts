import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { Child, node } from '../../../apps/demo-client/src/runner/child-process.js';
import { ECHO_PROTO } from '../echo/cluster.js';
import { type Transpiled, transpile } from '../run/transpile.js';

/** A server in a process of its own. */
export interface ServerProcess {
  readonly child: Child;
  readonly address: string;
}

/**
 * Compiles the server of `child.ts` for a test file; call it once, at the top. The returned function starts it in a
 * process that ends with the test, on a port that the process chooses.
 */
export function serverProcesses(drainDelayMs: number): () => Promise<ServerProcess> {
  let program: Transpiled;
  beforeAll(() => void (program = transpile('test/support/server/child.ts')));
  afterAll(() => program.remove());
  return async () => {
    const child = new Child(node(program.path, [ECHO_PROTO, String(drainDelayMs)]), { quiet: true });
    onTestFinished(() => child.kill());
    const [, address] = await child.nextLine(/listening on (.*)/);
    return { child, address: address! };
  };
}

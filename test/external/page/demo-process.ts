import { fileURLToPath } from 'node:url';
import { Child, node } from '../../../apps/demo-client/src/runner/child-process.js';

const SCRIPT = fileURLToPath(new URL('../../../apps/demo.mjs', import.meta.url));

/** `npm run demo` without npm, so that a signal reaches it. */
export interface DemoProcess {
  readonly process: Child;
  /** Where its page is. */
  readonly url: string;
}

/** Resolves when the page is there, and everything behind it. */
export async function startDemo(...flags: readonly string[]): Promise<DemoProcess> {
  const demo = new Child(node(SCRIPT, flags), { quiet: true });
  const [, url] = await demo.nextLine(/^page: (\S+)$/);
  return { process: demo, url: url! };
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface DemoProcess {
  /** Where its page is. */
  readonly url: string;
  /** As Ctrl-C does. Resolves to the exit code. */
  stop(): Promise<number | null>;
}

/** Starts `npm run demo` without npm, so that a signal reaches it, and waits for its page. */
export async function startDemo(...flags: readonly string[]): Promise<DemoProcess> {
  const script = fileURLToPath(new URL('../../../apps/demo.mjs', import.meta.url));
  const demo = spawn(process.execPath, [script, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(demo, 'exit') as Promise<[number | null]>;
  const url = new Promise<string>((resolve) => {
    createInterface({ input: demo.stdout }).on('line', (line) => {
      const found = /^page: (\S+)$/.exec(line)?.[1];
      if (found) resolve(found);
    });
  });
  const early = exit.then(([code]) => {
    throw new Error(`The demo ended with ${code} before it had a page`);
  });
  return {
    url: await Promise.race([url, early]),
    async stop() {
      demo.kill('SIGINT');
      const [code] = await exit;
      return code;
    },
  };
}

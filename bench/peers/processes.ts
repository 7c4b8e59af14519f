import { fileURLToPath } from 'node:url';
import { Child, node } from '../../apps/demo-client/src/runner/child-process.js';
import type { CpuRun } from './cpu-table.js';

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const proto = fileURLToPath(new URL('../../../../test/support/echo/echo.proto', import.meta.url));

export interface Backends {
  readonly addresses: readonly string[];
  stop(): Promise<void>;
}

export async function startBackends(): Promise<Backends> {
  const child = new Child<{ readonly type: 'listening'; readonly addresses: string[] }>(
    node(script('backends.js'), [proto]),
  );
  const { addresses } = await child.next('listening');
  return { addresses, stop: () => child.kill() };
}

/** Resolves when the process has ended. */
export async function runSubject(
  name: string,
  addresses: readonly string[],
  args: readonly string[],
  nodeOptions: readonly string[],
): Promise<CpuRun> {
  const command = node(script('subject.js'), [name, proto, addresses.join(','), ...args], nodeOptions);
  const child = new Child<CpuRun & { readonly type: 'result' }>(command, { name });
  const result = await child.next('result');
  const how = await child.ended;
  if (how !== 'exit 0') throw new Error(`${name} ended with ${how}`);
  return result;
}

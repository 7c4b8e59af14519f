import { fileURLToPath } from 'node:url';
import { Child, node } from '../../apps/demo-client/src/runner/child-process.js';
import type { CpuRun, Receive, Report, RunSpec } from './run-spec.js';

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
/** The service of all subjects that make calls of one line. */
export const PROTO = fileURLToPath(new URL('../../../../test/support/echo/echo.proto', import.meta.url));

export interface Backends {
  readonly addresses: readonly string[];
  stop(): Promise<void>;
}

export async function startBackends(): Promise<Backends> {
  const child = new Child<{ readonly type: 'listening'; readonly addresses: string[] }>(
    node(script('backends.js'), [PROTO]),
  );
  const { addresses } = await child.next('listening');
  return { addresses, stop: () => child.kill() };
}

/** A process that is warm. */
export class SubjectProcess {
  readonly #child: Child<Report, Receive>;

  constructor(run: Omit<RunSpec, 'proto' | 'addresses'>, { addresses }: Backends, nodeOptions: readonly string[] = []) {
    const spec: RunSpec = { ...run, proto: PROTO, addresses };
    const command = node(script('subject.js'), [JSON.stringify(spec)], nodeOptions);
    this.#child = new Child(command, { name: run.subject });
  }

  async warm(): Promise<void> {
    await this.#child.next('warm');
  }

  async receive(messages: number): Promise<CpuRun> {
    const received = this.#child.next('received');
    this.#child.tell({ messages });
    return received;
  }

  /** Resolves when the process has ended. */
  async stop(): Promise<void> {
    // Not `end()`, which kills a process that is writing its profile.
    this.#child.tell({ messages: 0 });
    const how = await this.#child.ended;
    if (how !== 'exit 0') throw new Error(`a subject ended with ${how}`);
  }
}

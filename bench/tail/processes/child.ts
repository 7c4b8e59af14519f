import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A process of this bench, which speaks in messages. */
export class Child<To extends object, From extends { readonly kind: string }> {
  readonly #process: ChildProcess;
  readonly #failed: Promise<never>;

  constructor(module: string, args: readonly string[], execArgv: readonly string[] = []) {
    this.#process = fork(fileURLToPath(new URL(module, import.meta.url)), args, {
      serialization: 'advanced',
      execArgv: [...execArgv],
    });
    this.#failed = once(this.#process, 'exit').then(([code, signal]: unknown[]) => {
      throw new Error(`${module} has ended with ${String(code ?? signal)} before its time`);
    });
    // Nobody may be waiting when it ends as it should.
    this.#failed.catch(() => {});
  }

  tell(message: To): void {
    this.#process.send(message);
  }

  /** The next message, which has to be of this kind. */
  async next<K extends From['kind']>(kind: K): Promise<Extract<From, { kind: K }>> {
    const [message] = (await Promise.race([once(this.#process, 'message'), this.#failed])) as [From];
    if (message.kind !== kind) throw new Error(`Heard ${message.kind}, not ${kind}`);
    return message as Extract<From, { kind: K }>;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exit = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exit;
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const running = new Set<ChildProcess>();
// One that stands still would not notice that the runner has gone.
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** A process of this suite, and what it says over IPC. */
export class Child<From extends { readonly type: string }, To> {
  readonly #process: ChildProcess;
  readonly #listeners = new Set<(message: From) => void>();
  readonly ended: Promise<void>;

  /** `prefix` is a command that runs another, as `ip netns exec NAME`. */
  constructor(name: string, args: unknown, prefix: readonly string[] = []) {
    const script = fileURLToPath(new URL(`processes/${name}.js`, import.meta.url));
    const command = [...prefix, process.execPath, script, JSON.stringify(args)];
    this.#process = spawn(command[0]!, command.slice(1), { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
    running.add(this.#process);
    this.ended = once(this.#process, 'exit').then(() => void running.delete(this.#process));
    this.#process.on('message', (message) => this.#listeners.forEach((listener) => listener(message as From)));
    // What is told to a process that has just been killed is of no use to anyone.
    this.#process.on('error', () => {});
  }

  tell(message: To): void {
    if (this.#process.connected) this.#process.send(message as never, () => {});
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGKILL');
    await this.ended;
  }

  /** What it says next of that type. It fails when the process ends before. */
  next<T extends From['type']>(
    type: T,
    condition: (message: Extract<From, { type: T }>) => boolean = () => true,
  ): Promise<Extract<From, { type: T }>> {
    return new Promise((resolve, reject) => {
      const listener = (message: From): void => {
        if (message.type !== type || !condition(message as Extract<From, { type: T }>)) return;
        this.#listeners.delete(listener);
        resolve(message as Extract<From, { type: T }>);
      };
      this.#listeners.add(listener);
      void this.ended.then(() => reject(new Error(`a process has ended before it said "${type}"`)));
    });
  }
}

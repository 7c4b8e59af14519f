import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';

/** How long a process may take to finish its work when it is told to go. */
const GRACE_MS = 5000;

/**
 * A Node process with a channel to this one. It ends itself when the channel breaks, so that it does not outlive
 * this process, however that ends.
 */
export class Child<In extends { type: string }, Out> {
  readonly #process: ChildProcess;
  /** Resolves when the process is gone, to how it ended: `exit 0`, `SIGKILL`, ... */
  readonly gone: Promise<string>;
  #gone = false;

  constructor(
    script: string,
    env: NodeJS.ProcessEnv,
    onMessage: (message: In) => void,
    onLine: (line: string) => void,
  ) {
    this.#process = fork(script, [], {
      env: { ...process.env, ...env },
      // Its words go through this process, which owns the terminal.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Ctrl-C reaches every process of the terminal's group; out of it, this process decides who leaves when.
      detached: true,
    });
    this.#process.on('message', onMessage);
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', onLine);
    }
    this.#process.on('error', (error) => onLine(error.message));
    this.gone = new Promise((resolve) => {
      this.#process.on('close', (code, signal) => {
        this.#gone = true;
        resolve(signal ?? `exit ${code}`);
      });
    });
  }

  tell(message: Out): void {
    // Its end may be on the way to us while we write.
    if (this.#process.connected) this.#process.send(message as object, () => {});
  }

  /** Tells it to go, and kills it if it does not. */
  async end(farewell: Out): Promise<void> {
    if (this.#gone) return;
    this.tell(farewell);
    const overdue = setTimeout(() => this.kill(), GRACE_MS);
    await this.gone;
    clearTimeout(overdue);
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}

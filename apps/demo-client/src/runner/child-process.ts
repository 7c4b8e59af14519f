import { type ChildProcess, spawn } from 'node:child_process';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';

/** How long a process may take to exit when it is told to. */
const GRACE_MS = 5000;
/** The number of lines of a quiet process that an error shows. */
const KEPT_LINES = 100;

export interface ChildOptions {
  /** The name in errors. Default: the name of the script or program. */
  readonly name?: string;
  /** In addition to the environment of this process. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Receives each line that the process writes. By default the process writes to the streams of this one. */
  readonly onLine?: (line: string) => void;
  /** Holds back the output of the process, for `nextLine` and for errors. */
  readonly quiet?: boolean;
  /** Runs in its own process group, so that Ctrl-C does not reach it: this process decides when it exits. */
  readonly detached?: boolean;
}

const running = new Set<ChildProcess>();
// A stopped process does not notice that its channel breaks.
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** The command that runs a script in this version of Node. */
export function node(
  script: string,
  args: readonly string[] = [],
  nodeOptions: readonly string[] = [],
): readonly string[] {
  return [process.execPath, ...nodeOptions, script, ...args];
}

/**
 * A process that does not outlive this one, and exchanges messages with it if it is a Node process. The demo, the
 * benchmarks, the chaos suite and the tests use it.
 */
export class Child<From extends { readonly type: string } = never, To extends object = never> {
  /** Resolves when the process has exited, with how it ended: `exit 0`, `SIGKILL`, `spawn haproxy ENOENT`. */
  readonly ended: Promise<string>;
  readonly #process: ChildProcess;
  readonly #name: string;
  readonly #listeners = new Set<(message: From) => void>();
  readonly #lineListeners = new Set<(line: string) => void>();
  #kept: readonly string[] = [];

  constructor(command: readonly string[], options: ChildOptions = {}) {
    const { env, cwd, onLine, quiet, detached } = options;
    const output = onLine || quiet ? 'pipe' : 'inherit';
    const child = spawn(command[0]!, command.slice(1), {
      env: { ...process.env, ...env },
      cwd,
      detached,
      stdio: ['ignore', output, output, 'ipc'],
      serialization: 'advanced',
    });
    running.add(child);
    this.#process = child;
    this.#name = options.name ?? basename(command.find((word) => word.endsWith('.js')) ?? command[0]!);
    child.on('message', (message) => this.#listeners.forEach((listener) => listener(message as From)));
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#onLine(line));
    }
    if (onLine) this.#lineListeners.add(onLine);
    if (quiet) this.#lineListeners.add((line) => (this.#kept = [...this.#kept, line].slice(-KEPT_LINES)));
    let failure: string | undefined;
    child.on('error', (error) => (failure ??= error.message));
    // Not at `exit`: the last lines may still be in transit.
    this.ended = new Promise((resolve) => {
      child.on('close', (code, signal) => {
        running.delete(child);
        resolve(signal ?? (child.pid === undefined ? failure! : `exit ${code}`));
      });
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get isRunning(): boolean {
    return running.has(this.#process);
  }

  onMessage(listener: (message: From) => void): void {
    this.#listeners.add(listener);
  }

  tell(message: To): void {
    // The process may just have ended.
    if (this.#process.connected) this.#process.send(message, () => {});
  }

  /** The next message of that type. Rejects if the process ends first. */
  next<T extends From['type']>(
    type: T,
    condition: (message: Extract<From, { type: T }>) => boolean = () => true,
  ): Promise<Extract<From, { type: T }>> {
    const message = new Promise<Extract<From, { type: T }>>((resolve) => {
      const listener = (each: From): void => {
        if (each.type !== type || !condition(each as Extract<From, { type: T }>)) return;
        this.#listeners.delete(listener);
        resolve(each as Extract<From, { type: T }>);
      };
      this.#listeners.add(listener);
    });
    return this.unlessEnded(message, `before it said "${type}"`);
  }

  /** The next line that matches, of a process with `onLine` or `quiet`. Rejects if the process ends first. */
  nextLine(pattern: RegExp): Promise<RegExpExecArray> {
    const match = new Promise<RegExpExecArray>((resolve) => {
      const listener = (line: string): void => {
        const found = pattern.exec(line);
        if (!found) return;
        this.#lineListeners.delete(listener);
        resolve(found);
      };
      this.#lineListeners.add(listener);
    });
    return this.unlessEnded(match, `before it wrote ${pattern}`);
  }

  /** The promise; rejects if the process ends first. */
  unlessEnded<T>(promise: Promise<T>, when = 'too early'): Promise<T> {
    const lost = this.ended.then((how): never => {
      throw new Error([`${this.#name} ended (${how}) ${when}`, ...this.#kept].join('\n'));
    });
    return Promise.race([promise, lost]);
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  /** Tells the process to exit, and kills it if it does not. Resolves when it has exited. */
  async end(farewell: To): Promise<void> {
    if (!this.isRunning) return;
    this.tell(farewell);
    const overdue = setTimeout(() => this.signal('SIGKILL'), GRACE_MS);
    await this.ended;
    clearTimeout(overdue);
  }

  /** Resolves when it has exited. */
  async kill(): Promise<void> {
    if (!this.isRunning) return;
    this.signal('SIGKILL');
    await this.ended;
  }

  #onLine(line: string): void {
    for (const listener of this.#lineListeners) listener(line);
  }
}

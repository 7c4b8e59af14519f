import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const script = (name: string): string => fileURLToPath(new URL(`python/${name}`, import.meta.url));

/** A program that reports in lines of JSON, and takes commands in lines of text. */
export class ReportingProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor([program, ...args]: readonly [string, ...string[]]) {
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** Its next report. */
  async next<T>(): Promise<T> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('the process has ended');
    return JSON.parse(value as string) as T;
  }

  /** Its next report that matches. */
  async nextWhere<T>(condition: (said: T) => boolean): Promise<T> {
    for (;;) {
      const said = await this.next<T>();
      if (condition(said)) return said;
    }
  }

  tell(command: string): void {
    this.#child.stdin.write(`${command}\n`);
  }

  /** No more commands. */
  closeInput(): void {
    this.#child.stdin.end();
  }

  /** Resolves when it has ended by itself. */
  async ended(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended();
  }
}

/** A Python program. */
export class PythonProcess extends ReportingProcess {
  constructor(name: string, args: readonly string[] = []) {
    // Debian's own, which sees Debian's python3-grpcio; there may be others in the PATH.
    super(['/usr/bin/python3', '-u', script(name), ...args]);
  }
}

/** A C-core server with `echo.v1.Echo` and a health service. */
export class PythonServer {
  port = 0;
  readonly process: PythonProcess;

  /** Channel arguments by name, as in `grpc.http2.min_ping_interval_without_data_ms`. */
  constructor(options: Readonly<Record<string, number>> = {}) {
    this.process = new PythonProcess(
      'server.py',
      Object.entries(options).map(([key, value]) => `${key}=${value}`),
    );
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async start(): Promise<this> {
    ({ port: this.port } = await this.process.next<{ port: number }>());
    return this;
  }

  setHealth(status: 'SERVING' | 'NOT_SERVING'): void {
    this.process.tell(`health ${status}`);
  }

  /** GOAWAY, with this many seconds for calls in flight. */
  stop(seconds: number): void {
    this.process.tell(`stop ${seconds}`);
  }

  kill(): Promise<void> {
    return this.process.kill();
  }
}

export function startPythonServers(count: number): Promise<PythonServer[]> {
  return Promise.all(Array.from({ length: count }, () => new PythonServer().start()));
}

import { execFile } from 'node:child_process';

export interface Ran {
  /** Null when it did not end in time and was killed. */
  readonly code: number | null;
  readonly stdout: string;
  /** Both streams, for people. */
  readonly output: string;
  /** Milliseconds from the last line of stdout to the end. */
  readonly lingeredMs: number;
}

/** Runs a program to its end, whatever that is. */
export function run(
  command: string,
  args: readonly string[],
  cwd: string,
  timeoutMs: number,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Ran> {
  return new Promise((resolve) => {
    let lastLine = performance.now();
    const child = execFile(
      command,
      args,
      { cwd, env, timeout: timeoutMs, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => {
        // `code` is a text when the program could not be started at all.
        const code = error ? (typeof error.code === 'number' ? error.code : null) : 0;
        const reason = error && code === null ? `\n${error.message}` : '';
        resolve({ code, stdout, output: `${stdout}${stderr}${reason}`, lingeredMs: performance.now() - lastLine });
      },
    );
    child.stdout?.on('data', () => {
      lastLine = performance.now();
    });
  });
}

/** The same, and an error that shows the output unless it succeeds. */
export async function mustRun(command: string, args: readonly string[], cwd: string, timeoutMs: number): Promise<Ran> {
  const ran = await run(command, args, cwd, timeoutMs);
  if (ran.code !== 0) throw new Error(`${command} ${args.join(' ')} (exit code ${ran.code})\n${ran.output}`);
  return ran;
}

import { AssertionError } from 'node:assert';
import { createHook } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers';

/** Something that is still open. */
export interface Leak {
  /** What it is: `socket`, `server`, `timer`, `file watcher`, `child process`, `worker`, `UDP socket`, `DNS query`. */
  readonly kind: string;
  /** The lines of code that opened it, the innermost first. */
  readonly openedAt: readonly string[];
}

/** What was opened since `trackLeaks()`. */
export interface LeakCheck {
  /** What is open now. */
  open(): readonly Leak[];
  /**
   * Waits until all that was opened is closed, and stops to look.
   *
   * @param withinMs How long it waits for what is being closed, in milliseconds. Default: 2000.
   * @throws AssertionError that lists what is open, and where it was opened.
   */
  expectNone(withinMs?: number): Promise<void>;
}

/** By the type that Node's `async_hooks` name. The connection of an HTTP/2 session is a socket. */
const KINDS: Readonly<Record<string, string>> = {
  TCPWRAP: 'socket',
  PIPEWRAP: 'socket',
  TCPSERVERWRAP: 'server',
  PIPESERVERWRAP: 'server',
  UDPWRAP: 'UDP socket',
  Timeout: 'timer',
  FSEVENTWRAP: 'file watcher',
  STATWATCHER: 'file watcher',
  PROCESSWRAP: 'child process',
  WORKER: 'worker',
  // Not the lookups of the system, which nobody can cancel.
  QUERYWRAP: 'DNS query',
};

/** Whose timers are not the test's: those of test runners, such as the one of a timeout. */
const RUNNERS = /node_modules[\\/](@?vitest|@jest|jest-[\w-]+|tinypool|mocha)[\\/]/;
/**
 * Those of its timers that keep no process alive end by themselves, such as the backoff of a connection that was given
 * up.
 */
const GRPC_JS = /node_modules[\\/]@grpc[\\/]grpc-js[\\/]/;
/** The functions that set timers for programs; Node sets its own in other ways. */
const BY_A_PROGRAM = /^(setTimeout|setInterval|AsyncFunction\.setTimeout|new Promise) |^node:timers/;
const MAX_LINES = 6;
const MAX_FRAMES = 30;

/**
 * Starts to look at what this process opens: sockets (with those of idle HTTP/2 sessions, which do not keep a process
 * alive), servers, timers, file watchers, child processes, workers, DNS queries. It regards neither what was opened before,
 * nor what the test runner and Node itself open.
 *
 * @example
 *   const leaks = trackLeaks();
 *   await fleet.close();
 *   await app.close();
 *   await leaks.expectNone();
 */
export function trackLeaks(): LeakCheck {
  const found = new Map<number, Opened>();
  const hook = createHook({
    init(id, type, _trigger, resource) {
      const kind = Object.hasOwn(KINDS, type) ? KINDS[type] : undefined;
      if (kind === undefined) return;
      const openedAt = stackOf(kind);
      if (!openedAt) return;
      const isGrpc = kind === 'timer' && GRPC_JS.test(openedAt[0] ?? '');
      found.set(id, { kind, openedAt, ...(isGrpc && { timer: resource as NodeJS.Timeout }) });
    },
    destroy(id) {
      found.delete(id);
    },
  }).enable();
  const open = (): Leak[] =>
    [...found.values()]
      .filter(({ timer }) => timer === undefined || timer.hasRef())
      .map(({ kind, openedAt }) => ({ kind, openedAt }));
  return {
    open,
    expectNone: async (withinMs = 2000) => {
      const end = performance.now() + withinMs;
      while (open().length > 0 && performance.now() < end) await new Promise((resolve) => setImmediate(resolve));
      hook.disable();
      const leaks = open();
      if (leaks.length === 0) return;
      throw new AssertionError({
        message: [
          `${leaks.length} left open`,
          ...leaks.flatMap(({ kind, openedAt }) => [`  ${kind}`, ...openedAt.map((line) => `    ${line}`)]),
        ].join('\n'),
        actual: leaks.map(({ kind }) => kind),
        expected: [],
        operator: 'expectNone',
      });
    },
  };
}

interface Opened extends Leak {
  /** A timer that counts as long as it keeps the process alive. */
  readonly timer?: NodeJS.Timeout;
}

/** Where something is opened; undefined if the test runner opens it, or Node for itself. */
function stackOf(kind: string): string[] | undefined {
  const lines = stackLines();
  const at = lines.findIndex((line) => !/node:|\(<anonymous>\)$/.test(line));
  const caller = lines[at];
  if (kind === 'timer' && (caller === undefined || RUNNERS.test(caller) || !BY_A_PROGRAM.test(lines[at - 1]!)))
    return undefined;
  // A server begins to listen, and accepts connections, in calls of Node's own.
  if (caller === undefined) return [];
  return lines.slice(at, at + MAX_LINES).filter((line) => !line.includes('node:'));
}

/** The callers of the hook. */
function stackLines(): string[] {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = MAX_FRAMES;
  const stack: unknown = new Error('opened').stack;
  Error.stackTraceLimit = stackTraceLimit;
  // A program may have replaced how stacks are written. Throwing here would end the process.
  if (typeof stack !== 'string') return [];
  const lines = stack.split('\n').map((line) => line.trim().replace(/^at /, ''));
  // The first are this function, `stackOf` and the hook.
  return lines.slice(
    Math.max(
      0,
      lines.findIndex((line) => line.includes('node:internal/async_hooks')),
    ),
  );
}

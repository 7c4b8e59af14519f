import { printable, printableError } from '../core/printable.js';
import { jittered, type Random } from '../core/random.js';
import { isObject } from '../core/options/validation.js';

/**
 * Checks whether a service can do its work. It fails if it throws, rejects, takes longer than the timeout, or returns
 * `false` or a result of Terminus that is not up. The signal aborts at the timeout.
 *
 * The type is that of an indicator of `@nestjs/terminus` too: `() => this.database.pingCheck('database')`.
 */
export type HealthCheck = (signal: AbortSignal) => unknown;

/** Whether the result of a check is a success. */
export function passed(result: unknown): boolean {
  if (!isObject(result)) return result !== false;
  // HealthCheckResult, of HealthCheckService.check: { status: 'ok' | 'error' | 'shutting_down', ... }
  const { status } = result as { readonly status?: unknown };
  if (status === 'error' || status === 'shutting_down') return false;
  // HealthIndicatorResult, of one indicator: { database: { status: 'up' | 'down', ... } }
  return !Object.values(result).some(
    (entry) => isObject(entry) && (entry as { readonly status?: unknown }).status === 'down',
  );
}

const JITTER = 0.2;

/**
 * Runs the checks of one service repeatedly, all at once, and waits for a round before the next one. A check that ignores
 * the signal may still run then: a service whose check never ends would else never come back.
 */
export class HealthPoller {
  #timer: NodeJS.Timeout | undefined;
  #round = new AbortController();
  #failures = 0;
  #healthy: boolean | undefined;
  #stopped = false;

  constructor(
    private readonly checks: readonly HealthCheck[],
    private readonly options: {
      readonly interval: number;
      readonly timeout: number;
      readonly failureThreshold: number;
    },
    /** Called with the first result and with every change; the reason is set for a failure. */
    private readonly onChange: (healthy: boolean, reason: string) => void,
    private readonly random: Random = Math.random,
  ) {}

  start(): void {
    void this.#poll();
  }

  stop(): void {
    this.#stopped = true;
    this.#round.abort();
    clearTimeout(this.#timer);
  }

  async #poll(): Promise<void> {
    const reason = await this.#check();
    if (this.#stopped) return;
    this.#failures = reason === undefined ? 0 : this.#failures + 1;
    // The first result counts at once, because there is no earlier one that a single failure could contradict.
    const healthy = this.#failures === 0 || (this.#healthy === true && this.#failures < this.options.failureThreshold);
    if (healthy !== this.#healthy) {
      this.#healthy = healthy;
      this.onChange(healthy, reason ?? '');
    }
    // With jitter, so that a hundred servers do not query their shared database in step.
    this.#timer = setTimeout(() => void this.#poll(), jittered(this.random, this.options.interval, JITTER)).unref();
  }

  /** Why it has failed; undefined if it has not. */
  async #check(): Promise<string | undefined> {
    this.#round = new AbortController();
    const { signal } = this.#round;
    let expire!: NodeJS.Timeout;
    const late = new Promise<string>((resolve) => {
      expire = setTimeout(() => resolve(`no answer within ${this.options.timeout} ms`), this.options.timeout).unref();
      signal.addEventListener('abort', () => resolve('stopped'));
    });
    try {
      return await Promise.race([this.#runAll(signal), late]);
    } finally {
      clearTimeout(expire);
      this.#round.abort();
    }
  }

  async #runAll(signal: AbortSignal): Promise<string | undefined> {
    try {
      const results = await Promise.all(this.checks.map(async (check) => check(signal)));
      const bad = results.find((result) => !passed(result));
      return bad === undefined ? undefined : printable(`it returned ${JSON.stringify(bad)}`);
    } catch (error) {
      return printableError(error);
    }
  }
}

import type { Cancel, Clock } from '../core/clock.js';
import { TokenBucket } from '../core/token-bucket.js';

/** A problem and its end are logged at once, later lines once in this time. */
const INTERVAL_MS = 60_000;
const BURST = 2;

export interface Line {
  /** `log` is the end of a problem that was a `warn`. */
  readonly level: 'log' | 'warn';
  readonly text: string;
}

/** The endpoint, the target, or whatever else has this kind of problem separately. */
interface Subject {
  told: Line | undefined;
  toldAt: number;
  /** The line that has not been logged yet. */
  waiting: Line | undefined;
}

/**
 * One kind of problem of one client. Flapping is logged a few times, but the last line always reports the final state
 * of each subject. Delayed lines are combined into one.
 */
export class LogTopic {
  readonly #bucket: TokenBucket;
  readonly #subjects = new Map<string, Subject>();
  #cancel: Cancel | undefined;

  constructor(
    private readonly write: (line: Line) => void,
    private readonly clock: Clock,
  ) {
    this.#bucket = new TokenBucket(BURST, INTERVAL_MS, clock);
  }

  tell(name: string, line: Line): void {
    const subject = this.#subjects.get(name) ?? { told: undefined, toldAt: 0, waiting: undefined };
    subject.waiting = this.#isNews(subject, line) ? line : undefined;
    if (subject.waiting ?? subject.told) this.#subjects.set(name, subject);
    else this.#subjects.delete(name);
    if (!this.#cancel) this.#tellWaiting();
  }

  /** The subject is gone: do not log its problem or the end of it. */
  forget(name: string): void {
    this.#subjects.delete(name);
  }

  close(): void {
    this.#cancel?.();
  }

  /** The end of a problem that was never logged is not logged. A lasting problem is logged again after the interval. */
  #isNews({ told, toldAt }: Subject, { level, text }: Line): boolean {
    if (level === 'log') return told !== undefined;
    return text !== told?.text || this.clock.now() >= toldAt + INTERVAL_MS;
  }

  #tellWaiting(): void {
    this.#cancel = undefined;
    for (const level of ['warn', 'log'] as const) {
      const waiting = [...this.#subjects].filter(([, subject]) => subject.waiting?.level === level);
      if (waiting.length === 0) continue;
      if (!this.#bucket.take()) {
        this.#cancel = this.clock.after(this.#bucket.wait, () => this.#tellWaiting());
        return;
      }
      const text = waiting[0]![1].waiting!.text;
      this.write({ level, text: text + others(level, waiting.length - 1) });
      for (const [name, subject] of waiting) this.#told(name, subject);
    }
  }

  #told(name: string, subject: Subject): void {
    // Drops subjects whose problem is over.
    if (subject.waiting!.level === 'log') this.#subjects.delete(name);
    subject.told = subject.waiting;
    subject.toldAt = this.clock.now();
    subject.waiting = undefined;
  }
}

function others(level: Line['level'], count: number): string {
  if (count === 0) return '';
  return level === 'warn'
    ? ` (and ${count} more; see the snapshot)`
    : ` (${count} more ${count === 1 ? 'has' : 'have'} recovered too)`;
}

import type { Cancel, Clock } from '../core/clock.js';
import { TokenBucket } from '../core/token-bucket.js';

/** The problem of one subject and its end are logged at once, its later lines once in this time. */
const SUBJECT_MS = 60_000;
const SUBJECT_BURST = 2;
/** All subjects together: a rolling restart of a few endpoints is logged line by line, an outage of hundreds is not. */
const TOPIC_MS = 10_000;
const TOPIC_BURST = 10;

export interface Line {
  /** `log` is the end of a problem that was a `warn`. */
  readonly level: 'log' | 'warn';
  readonly text: string;
}

/** The endpoint, the target, or whatever else has this kind of problem separately. */
interface Subject {
  readonly bucket: TokenBucket;
  told: Line | undefined;
  toldAt: number;
  /** Whether its problem has changed since it began: the second line of a problem must not delay its end. */
  changed: boolean;
  /** The line that has not been logged yet. */
  waiting: Line | undefined;
}

/**
 * One kind of problem of one client. Flapping is logged a few times, but the last line always reports the final state
 * of each subject. A subject that flaps does not hide the others. Delayed lines are combined into one.
 */
export class LogTopic {
  readonly #bucket: TokenBucket;
  readonly #subjects = new Map<string, Subject>();
  #cancel: Cancel | undefined;
  /** All subjects wait for the limit that they share. */
  #exhausted = false;

  constructor(
    private readonly write: (line: Line) => void,
    private readonly clock: Clock,
  ) {
    this.#bucket = new TokenBucket(TOPIC_BURST, TOPIC_MS, clock);
  }

  tell(name: string, line: Line): void {
    let subject = this.#subjects.get(name);
    // The end of a problem that was never logged is not logged.
    if (!subject && line.level === 'log') return;
    if (!subject) {
      const bucket = new TokenBucket(SUBJECT_BURST, SUBJECT_MS, this.clock);
      this.#subjects.set(name, (subject = { bucket, told: undefined, toldAt: 0, changed: false, waiting: undefined }));
    }
    subject.waiting = this.#isNews(subject, line) ? line : undefined;
    if (!this.#exhausted) this.#tellWaiting();
  }

  /** The subject is gone: do not log its problem or the end of it. */
  forget(name: string): void {
    this.#subjects.delete(name);
  }

  close(): void {
    this.#cancel?.();
  }

  /** A lasting problem is logged again after the interval. */
  #isNews({ told, toldAt }: Subject, { level, text }: Line): boolean {
    if (level === 'log') return told?.level === 'warn';
    return text !== told?.text || this.clock.now() >= toldAt + SUBJECT_MS;
  }

  #tellWaiting(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#exhausted = false;
    let wait = Infinity;
    for (const level of ['warn', 'log'] as const) {
      const ready: Subject[] = [];
      for (const subject of this.#subjects.values()) {
        if (subject.waiting?.level !== level) continue;
        if (subject.bucket.wait === 0 || (level === 'log' && subject.changed)) ready.push(subject);
        else wait = Math.min(wait, subject.bucket.wait);
      }
      if (ready.length === 0) continue;
      if (!this.#bucket.take()) {
        this.#exhausted = true;
        wait = this.#bucket.wait;
        break;
      }
      this.write({ level, text: ready[0]!.waiting!.text + others(level, ready.length - 1) });
      for (const subject of ready) this.#told(subject);
    }
    if (wait < Infinity) this.#cancel = this.clock.after(wait, () => this.#tellWaiting());
  }

  #told(subject: Subject): void {
    const { told, waiting } = subject;
    const isProblem = waiting?.level === 'warn';
    subject.changed = isProblem && told?.level === 'warn' && (subject.changed || told.text !== waiting.text);
    // An end that may not wait is paid for by those that follow.
    subject.bucket.charge(1);
    subject.told = waiting;
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

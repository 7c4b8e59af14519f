import type { Cancel, Clock } from '../core/clock.js';
import { TokenBucket } from '../core/token-bucket.js';

/** A problem that lasts, or changes without getting worse, is logged once in this time. */
const SUBJECT_MS = 60_000;
const SUBJECT_BURST = 2;
/** The first end of a problem is logged at once, the next ones once in this time: a line a minute while it flaps. */
const END_MS = 2 * SUBJECT_MS;
/** A line that is written within this time is not called late. */
const LATE_MS = 1000;
/** All subjects together: a rolling restart of a few endpoints is logged line by line, an outage of hundreds is not. */
const TOPIC_MS = 10_000;
const TOPIC_BURST = 10;

export interface Line {
  /** `log` is the end of a problem that was a `warn`. */
  readonly level: 'log' | 'warn';
  readonly text: string;
  /** A problem with a higher number than the one that was logged is worse, and is logged at once. 0 if absent. */
  readonly severity?: number | undefined;
  /** When it happened, in milliseconds since the epoch. */
  readonly time: number;
}

interface Waiting {
  readonly line: Line;
  /** Since when it waits, by the clock. */
  readonly since: number;
}

/** The endpoint, the target, or whatever else has this kind of problem separately. */
interface Subject {
  readonly bucket: TokenBucket;
  /** Ends of its problem. */
  readonly ends: TokenBucket;
  told: Line | undefined;
  /** Since when the problem that was logged lasts, or was logged last. */
  lastsSince: number;
  /** The line that has not been logged yet. */
  waiting: Waiting | undefined;
}

/**
 * One kind of problem of one client. Flapping is logged a few times, and good news is what waits then: a subject that
 * gets worse than its last line says is logged at once, so no quota ends on a good state. The last line always reports
 * the final state of each subject, and a late one says since when. A subject that flaps does not hide the others.
 * Delayed lines are combined into one.
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
      const ends = new TokenBucket(1, END_MS, this.clock);
      this.#subjects.set(name, (subject = { bucket, ends, told: undefined, lastsSince: 0, waiting: undefined }));
    }
    // What has ended meanwhile does not last.
    if (line.level === 'log') subject.lastsSince = this.clock.now();
    if (!this.#isNews(subject, line)) subject.waiting = undefined;
    // The same line again waits since it was first told.
    else if (line.text !== subject.waiting?.line.text) subject.waiting = { line, since: this.clock.now() };
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
  #isNews({ told, lastsSince }: Subject, { level, text }: Line): boolean {
    if (level === 'log') return told?.level === 'warn';
    return text !== told?.text || this.clock.now() >= lastsSince + SUBJECT_MS;
  }

  #tellWaiting(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#exhausted = false;
    let wait = Infinity;
    for (const level of ['warn', 'log'] as const) {
      const ready: Subject[] = [];
      for (const subject of this.#subjects.values()) {
        if (subject.waiting?.line.level !== level) continue;
        const mine = waitOf(subject);
        if (mine === 0) ready.push(subject);
        else wait = Math.min(wait, mine);
      }
      if (ready.length === 0) continue;
      if (!this.#bucket.take()) {
        this.#exhausted = true;
        wait = this.#bucket.wait;
        break;
      }
      const { line, since } = ready[0]!.waiting!;
      const when = this.clock.now() < since + LATE_MS ? '' : ` (since ${new Date(line.time).toISOString()})`;
      this.write({ ...line, text: line.text + when + others(level, ready.length - 1) });
      for (const subject of ready) this.#told(subject);
    }
    if (wait < Infinity) this.#cancel = this.clock.after(wait, () => this.#tellWaiting());
  }

  #told(subject: Subject): void {
    const { line } = subject.waiting!;
    // What may not wait is paid for by what follows, within limits: a long debt would hide a problem that lasts.
    if (subject.bucket.wait <= 3 * SUBJECT_MS) subject.bucket.charge(1);
    if (line.level === 'log') subject.ends.charge(1);
    subject.told = line;
    subject.lastsSince = this.clock.now();
    subject.waiting = undefined;
  }
}

/** Milliseconds until the waiting line of a subject may be logged. */
function waitOf({ told, waiting, bucket, ends }: Subject): number {
  const { level, severity = 0 } = waiting!.line;
  if (level === 'log') return ends.wait;
  return told?.level === 'warn' && severity <= (told.severity ?? 0) ? bucket.wait : 0;
}

function others(level: Line['level'], count: number): string {
  if (count === 0) return '';
  return level === 'warn'
    ? ` (and ${count} more; see the snapshot)`
    : ` (${count} more ${count === 1 ? 'has' : 'have'} recovered too)`;
}

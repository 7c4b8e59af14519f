import { dueAt, type Schedule } from './schedule.js';

/** What the subscriber of one log has seen. */
export class LogRecord {
  messages = 0;
  doubled = 0;
  unordered = 0;
  /** The port of the backend of the last message; 0 before the first. */
  server = 0;
  last = 0;
  #at = 0;
  readonly #missing = new Set<number>();

  constructor(
    private readonly schedule: Schedule,
    readonly log: number,
  ) {}

  get missing(): number {
    return this.#missing.size;
  }

  /** Returns the gap to the message before, beyond the interval of the two; undefined for the first. */
  take(number: number, server: number, at: number): number | undefined {
    this.messages++;
    if (number <= this.last) {
      if (this.#missing.delete(number)) this.unordered++;
      else this.doubled++;
      return undefined;
    }
    for (let each = this.last + 1; each < number; each++) this.#missing.add(each);
    const { schedule, log } = this;
    const gap = at - this.#at - (dueAt(schedule, log, number) - dueAt(schedule, log, this.last));
    const first = this.last === 0;
    this.last = number;
    this.server = server;
    this.#at = at;
    return first ? undefined : gap;
  }
}

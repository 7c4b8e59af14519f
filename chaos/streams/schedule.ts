/** How many messages there are, and when: the same in all processes. */
export interface Schedule {
  /** The time of the first messages, of `now()`. */
  readonly epoch: number;
  readonly logs: number;
  /** Messages a second of all logs together. */
  readonly rate: number;
}

function interval({ logs, rate }: Schedule): number {
  return (1000 * logs) / rate;
}

/** When a message comes into being; they count from 1. The logs take turns. */
export function dueAt(schedule: Schedule, log: number, number: number): number {
  return schedule.epoch + (number - 1 + log / schedule.logs) * interval(schedule);
}

/** The last message of a log that exists at a time; 0 if there is none. */
export function lastOf(schedule: Schedule, log: number, at: number): number {
  return Math.max(0, Math.floor((at - schedule.epoch) / interval(schedule) - log / schedule.logs + 1));
}

import type { Task } from '../engine/event-queue.js';

/** What does a job: a server. */
export interface Worker {
  /** The present phase of the job is over. */
  advance(job: Job): void;
}

/** Work that a server does: a call, or a message of a stream. */
export abstract class Job implements Task {
  /** The server that does it, from the moment it has come there. */
  server: Worker | undefined;
  /** How far it is, as the server counts. */
  phase = 0;
  /** When its present phase ends; known while it runs. */
  endsAt = 0;

  constructor(
    /** Milliseconds of a slot, or of the event loop, at full speed. */
    readonly work: number,
    /** Milliseconds of waiting for something else. */
    readonly io: number,
    /** It fails where the server fails more than that: 0 to 1, and wherever it goes with 0. */
    readonly luck = 1,
  ) {}

  /** The server is done with it. */
  abstract answered(failed: boolean): void;

  run(): void {
    this.server!.advance(this);
  }
}

import type { Metadata } from '@grpc/grpc-js';
import type { Refusal } from '../../../libs/grpc-lb/src/server/refusal.js';
import type { Task } from '../engine/event-queue.js';

/** Performs a job: a server. */
export interface Worker {
  /** The present phase of the job is over. */
  advance(job: Job): void;
}

/** Work that a server does: a call, or a message of a stream. */
export abstract class Job implements Task {
  /** The server that performs it, once it has arrived there. */
  server: Worker | undefined;
  /** When it arrived there. */
  arrivedAt = 0;
  /** Its progress, as the server counts it. */
  phase = 0;
  /** When its current phase ends; known while it runs. */
  endsAt = 0;
  /** What a server that sheds load reads of a call; undefined for messages, which are not shed. */
  metadata: Metadata | undefined;
  /** The connection by which it came: the client's index. */
  connection = 0;

  constructor(
    /** Milliseconds of a slot, or of the event loop, at full speed. */
    readonly work: number,
    /** Milliseconds of waiting for another service. */
    readonly io: number,
    /** It fails where the failure share of the server exceeds this: 0 to 1; with 0 it fails everywhere. */
    readonly luck = 1,
  ) {}

  /** The server has finished it. */
  abstract answered(failed: boolean): void;

  /** The server has shed it. */
  shed(_refusal: Refusal): void {
    this.answered(true);
  }

  run(): void {
    this.server!.advance(this);
  }
}

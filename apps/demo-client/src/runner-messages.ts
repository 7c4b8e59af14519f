import type { Frame } from './live/frame.js';
import type { PhaseSummary } from './load/tally.js';

/** What the runner knows of the process behind a backend. */
export interface BackendProcess {
  readonly address: string;
  readonly process: 'starting' | 'running' | 'stopping' | 'stopped';
  /** How many times slower than its siblings it was told to be. */
  readonly factor: number;
  /** `Find` calls received and not answered, as the backend itself reports them. */
  readonly inFlight: number;
}

export const ACTIONS = ['stop', 'restart', 'slow', 'normal'] as const;
export type Action = (typeof ACTIONS)[number];

export type ToClient = { type: 'backends'; backends: readonly BackendProcess[] } | { type: 'shutdown' };

export type FromClient =
  | { type: 'listening'; url: string }
  | { type: 'frame'; frame: Frame }
  | { type: 'command'; address: string; action: Action }
  /** The summaries of all phases so far; the last message but one, or the last one. */
  | { type: 'done'; phases: readonly PhaseSummary[] };

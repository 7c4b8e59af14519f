import type { BackendProcess } from './backend-process.js';
import type { Frame } from './live/frame.js';
import type { PhaseSummary } from './load/tally.js';

export const ACTIONS = ['stop', 'restart', 'slow', 'normal'] as const;
export type Action = (typeof ACTIONS)[number];

export type ToClient = { type: 'backends'; backends: readonly BackendProcess[] } | { type: 'shutdown' };

export type FromClient =
  | { type: 'listening'; url: string }
  | { type: 'frame'; frame: Frame }
  | { type: 'command'; address: string; action: Action }
  /** The summaries of all phases so far; the last message but one, or the last one. */
  | { type: 'done'; phases: readonly PhaseSummary[] };

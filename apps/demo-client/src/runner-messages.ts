import type { Action } from './action.js';
import type { BackendProcess } from './backend-process.js';
import type { Frame } from './panel/frame.js';
import type { PhaseSummary } from './load/tally.js';

export type ToClient = { type: 'backends'; backends: readonly BackendProcess[] } | { type: 'shutdown' };

export type FromClient =
  | { type: 'listening'; url: string }
  | { type: 'frame'; frame: Frame }
  | { type: 'command'; address: string; action: Action }
  /** The summaries of all phases so far; the last message but one, or the last one. */
  | { type: 'done'; phases: readonly PhaseSummary[] };

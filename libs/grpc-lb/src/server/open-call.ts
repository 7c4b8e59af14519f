import type { Ending } from './stream-end.js';

/** A call that has arrived and not ended. */
export interface OpenCall {
  /** Whether the server answers with a stream, which may never end on its own. */
  readonly responseStream: boolean;
  /** Whether the client sends a stream. */
  readonly requestStream: boolean;
  /** Ends the call and cancels its handler; false if it has ended already. */
  end(ending: Ending): boolean;
}

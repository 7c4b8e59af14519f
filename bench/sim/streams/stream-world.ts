import type { StreamServer } from './stream-server.js';

/** What the script of a scenario can do to the servers during a run. */
export interface StreamWorld {
  readonly servers: readonly StreamServer[];
  readonly at: (time: number, happen: () => void) => void;
  /** Adds servers; discovery names them. */
  readonly add: (count: number) => void;
  /** Removes servers from discovery. After `grace` milliseconds they end what is left. */
  readonly remove: (servers: readonly StreamServer[], grace: number) => void;
  /** Kills servers, which discovery goes on to name. */
  readonly kill: (servers: readonly StreamServer[]) => void;
  readonly revive: (servers: readonly StreamServer[]) => void;
}

/** Milliseconds after which a change of discovery has reached every client. */
export const DISCOVERY_MS = 1000;

import type { Call } from '../call.js';
import type { Server } from '../servers/server.js';

/** Sends calls to servers: many clients with a policy each, or a dispatcher that knows more than a client can. */
export interface Dispatcher {
  dispatch(call: Call): void;
  /** Discovery lists these from now on. */
  update(servers: readonly Server[]): void;
}

export interface CallListener {
  /** @param server Undefined if its client refused it. */
  callEnded(call: Call, failed: boolean, server: Server | undefined): void;
}

import type { Job } from '../servers/job.js';
import type { Server } from '../servers/server.js';
import { Omniscient } from './omniscient.js';

/**
 * Chooses when the call arrives, as a policy must, but knows everything: all queues, the work of all calls in them, and
 * that of the call itself. The call goes to the server that will finish it first.
 */
export class PerfectKnowledge extends Omniscient {
  protected place(job: Job): void {
    let best: Server | undefined;
    let least = Infinity;
    const consider = (server: Server): void => {
      // Even an empty queue could not make it better, so the rest is not computed.
      if (server.failing === 1 || job.work * server.slowness + job.io > least) return;
      const expected = server.expected(job.work, job.io);
      if (expected > least || (expected === least && server.inFlight >= best!.inFlight)) return;
      least = expected;
      best = server;
    };
    for (const server of this.servers) if (server.idle) consider(server);
    for (const server of this.servers) if (!server.idle) consider(server);
    // If all fail, it does not matter which.
    (best ?? this.servers[0]!).accept(job);
  }
}

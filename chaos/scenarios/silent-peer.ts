import { setTimeout as delay } from 'node:timers/promises';
import { SilentServer } from '../../test/support/peers/silent-server.js';
import { startBackends } from '../backend.js';
import { all, failedAtMost } from '../bounds.js';
import { now } from '../clock.js';
import type { Outcome } from '../outcome.js';
import type { Scenario, Setting } from '../scenario.js';

interface WithSilent extends Setting {
  readonly silent: SilentServer;
}

const sentThere = ({ recording, course }: Outcome): number =>
  recording.requests.filter(({ to }) => to === course.faults[0]!.victim).length;

export const silentPeer: Scenario<WithSilent> = {
  name: 'silent-peer',
  title: 'four backends, and a peer that accepts connections and never speaks HTTP/2',
  passes: [
    {
      label: 'without retry',
      bound: 'none failed; never in rotation',
      judge: all(failedAtMost(0), (outcome) => {
        const sent = sentThere(outcome);
        return sent === 0 ? [] : [`${sent} calls were sent there`];
      }),
    },
  ],
  async prepare() {
    const [silent, backends] = await Promise.all([new SilentServer().start(), startBackends(4)]);
    const addresses = [...backends.map(({ address }) => address), `127.0.0.1:${silent.port}`];
    return { silent, backends, addresses, close: () => silent.stop() };
  },
  async run(_side, { silent }) {
    const from = now();
    // Longer than the connect timeout, so that it is tried again.
    await delay(8000);
    return { faults: [{ victim: `127.0.0.1:${silent.port}`, from, to: now() }] };
  },
  remark: (outcome) => `${sentThere(outcome)} calls were sent there`,
};

import { setTimeout as delay } from 'node:timers/promises';
import { Backend, startBackends } from '../backend.js';
import { now } from '../clock.js';
import { Network } from '../network.js';
import type { Scenario, Setting } from '../scenario.js';
import { silencePasses } from './silence.js';

interface Faraway extends Setting {
  readonly network: Network;
}

export const blackhole: Scenario<Faraway> = {
  name: 'blackhole',
  title: 'the network loses every packet of one backend for a while',
  missing: () => Network.missing(),
  passes: silencePasses,
  async prepare() {
    const network = await Network.open();
    const [victim, others] = await Promise.all([
      new Backend({ host: network.host, prefix: network.prefix }).start(),
      startBackends(4),
    ]);
    return { network, backends: [victim, ...others], close: () => network.close() };
  },
  async run({ backends: [victim] }, { network }) {
    await network.drop();
    const from = now();
    await delay(6000);
    const to = now();
    await network.restore();
    // An attempt to connect may be under way, and give up only after 5 s.
    await delay(12_000);
    return { faults: [{ victim: victim!.address, from, to }] };
  },
};

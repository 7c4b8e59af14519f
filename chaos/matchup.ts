import { setTimeout as delay } from 'node:timers/promises';
import { Client } from './client.js';
import { type Outcome, outcomeOf } from './outcome.js';
import type { SubjectName } from './protocol.js';
import type { Pass, Scenario, Setting } from './scenario.js';

/** Calls a second, unless `--rate` says otherwise. */
export const RATE = 300;
export const DEADLINE_MS = 1000;
/** Compilers and connections are warm after this; nothing is done to the backends before. */
const WARM_UP_MS = 4000;

export type Outcomes = Readonly<Record<SubjectName, Outcome>>;

/**
 * One pass of a scenario, with both subjects at the same time: each has a client process and backends of its own, and
 * the same is done to both at the same moment, so that whatever else this machine does hits both.
 */
export async function runMatchup(scenario: Scenario, pass: Pass, rate: number): Promise<Outcomes> {
  const [ours, peer] = await Promise.all([
    goThrough(scenario, pass, 'grpc-lb', rate),
    goThrough(scenario, pass, 'round_robin', rate),
  ]);
  return { 'grpc-lb': ours, round_robin: peer };
}

async function goThrough(scenario: Scenario, pass: Pass, subject: SubjectName, rate: number): Promise<Outcome> {
  const setting: Setting = await scenario.prepare();
  const client = new Client({
    subject,
    addresses: setting.addresses ?? setting.backends.map(({ address }) => address),
    retry: pass.retry ?? false,
    loadBalancing: pass.loadBalancing ?? {},
    channelOptions: pass.channelOptions ?? {},
    rate,
    deadline: DEADLINE_MS,
    repeats: subject === 'round_robin' ? pass.peerRepeats : undefined,
  });
  try {
    await client.ready();
    client.startLoad();
    await delay(WARM_UP_MS);
    const course = await scenario.run({ name: subject, client, backends: setting.backends }, setting);
    return outcomeOf(await client.stop(), course);
  } finally {
    await client.end();
    await Promise.all(setting.backends.map((backend) => backend.end()));
    await setting.close?.();
  }
}

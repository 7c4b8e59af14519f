import { setTimeout as delay } from 'node:timers/promises';
import { startBackends } from '../backend.js';
import { all, failedAtMost } from '../bounds.js';
import { now } from '../clock.js';
import type { Outcome } from '../outcome.js';
import type { Scenario } from '../scenario.js';

/** Victims that got calls when all was settled. */
function inUse({ course, recording: { requests } }: Outcome): number {
  return course.faults.filter(({ victim, to }) =>
    requests.some((request) => request.to === victim && request.at > to - 1000 && request.at < to),
  ).length;
}

function saysPanic({ recording: { events, snapshot } }: Outcome): string[] {
  const missed: string[] = [];
  if (!events.some(({ event }) => event.type === 'panic' && event.on)) missed.push('no event says panic');
  if (snapshot?.panic !== true) missed.push('the snapshot does not say panic');
  if (snapshot?.state !== 'ready') missed.push(`the client is ${snapshot?.state}`);
  return missed;
}

export const panic: Scenario = {
  name: 'panic',
  title: 'three of five say NOT_SERVING at once, and can still answer',
  passes: [
    {
      label: 'without retry',
      bound: 'none failed; stays in service; event and snapshot say panic',
      judge: all(failedAtMost(0), saysPanic, (outcome) =>
        inUse(outcome) === 3 ? [] : [`only ${inUse(outcome)} of the three are used`],
      ),
    },
  ],
  prepare: async () => ({ backends: await startBackends(5) }),
  async run({ backends }) {
    const victims = backends.slice(0, 3);
    const times = await Promise.all(victims.map((victim) => victim.set({ health: 'NOT_SERVING' })));
    await delay(5000);
    const to = now();
    return { faults: victims.map(({ address }, i) => ({ victim: address, from: times[i]!, to })) };
  },
  remark: (outcome) => `${inUse(outcome)} of the three are used`,
};

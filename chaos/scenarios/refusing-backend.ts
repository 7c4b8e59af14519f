import { setTimeout as delay } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { startBackends } from '../backend.js';
import { now } from '../clock.js';
import type { Outcome } from '../outcome.js';
import type { Scenario } from '../scenario.js';
import { LEARNING } from './learning.js';

const MOST = 0.23;

/** The part of the calls that went to the victim. */
function share({ recording: { requests }, course }: Outcome): number {
  const [{ victim, from, to }] = course.faults as [Outcome['course']['faults'][0]];
  const during = requests.filter(({ at }) => at >= from && at < to);
  return during.filter((request) => request.to === victim).length / during.length;
}

const CALL_MS = 100;

const percent = (part: number): string => `${Math.round(part * 100)} %`;

export const refusingBackend: Scenario = {
  name: 'refusing-backend',
  callMs: CALL_MS,
  title: 'one of five answers UNIMPLEMENTED at once, beside backends of 100 ms',
  passes: LEARNING.map((policy) => ({
    label: policy,
    loadBalancing: { policy },
    bound: `it gets at most ${percent(MOST)} of the calls`,
    judge: (outcome) => (share(outcome) <= MOST ? [] : [`it gets ${percent(share(outcome))}`]),
  })),
  prepare: async () => ({ backends: await startBackends(5) }),
  async run({ backends }) {
    await Promise.all(backends.map((backend) => backend.set({ delay: CALL_MS })));
    await delay(2000);
    const [victim] = backends;
    const from = await victim!.set({ failWith: status.UNIMPLEMENTED });
    await delay(5000);
    return { faults: [{ victim: victim!.address, from, to: now() }] };
  },
  remark: (outcome) => `it got ${percent(share(outcome))} of the calls`,
};

import { setTimeout as delay } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { type Backend, startBackends } from '../backend.js';
import { all } from '../bounds.js';
import { now } from '../clock.js';
import type { Outcome } from '../outcome.js';
import type { Scenario } from '../scenario.js';

const BACKENDS = 5;
const OUTAGE_MS = 20_000;
/** From the return of one backend to that of the next. */
const BETWEEN_MS = 1000;
/** From the return of the last one: when shares must be even, and how long they are looked at. */
const EVEN_AFTER_MS = 5000;
const EVEN_FOR_MS = 5000;
/** Attempts for each call. */
const MOST_ATTEMPTS = 1.1;
const FIRST_SUCCESS_MS = 1000;
/** The share of a backend is at most this many times the mean, and at least the mean divided by it. */
const EVEN = 1.5;

interface Returns {
  readonly from: number;
  readonly first: number;
  readonly last: number;
}

function returnsOf({ course: { faults } }: Outcome): Returns {
  const times = faults.map(({ to }) => to);
  return { from: Math.min(...faults.map(({ from }) => from)), first: Math.min(...times), last: Math.max(...times) };
}

/** Attempts on the wire for each call of that time. */
function attemptsFor({ recording: { calls, requests } }: Outcome, from: number, to: number): number {
  const within = ({ at }: { readonly at: number }): boolean => at >= from && at < to;
  return requests.filter(within).length / calls.filter(within).length;
}

/** The most of the outage itself, and of the time in which the backends return. */
function attempts(outcome: Outcome): number {
  const { from, first, last } = returnsOf(outcome);
  return Math.max(attemptsFor(outcome, from, first), attemptsFor(outcome, first, last + EVEN_AFTER_MS));
}

/** Milliseconds from the return of the first backend to the first answer. */
function firstSuccess(outcome: Outcome): number {
  const { first } = returnsOf(outcome);
  const answers = outcome.recording.calls.filter(({ code }) => code === status.OK).map(({ at, took }) => at + took);
  return Math.min(...answers.filter((at) => at >= first)) - first;
}

/** The smallest and the largest share of a backend, as multiples of the mean. */
function shares(outcome: Outcome): { readonly least: number; readonly most: number } {
  const from = returnsOf(outcome).last + EVEN_AFTER_MS;
  const sent = outcome.recording.requests.filter(({ at }) => at >= from && at < from + EVEN_FOR_MS);
  const each = outcome.course.faults.map(({ victim }) => sent.filter(({ to }) => to === victim).length);
  const mean = sent.length / BACKENDS;
  return { least: Math.min(...each) / mean, most: Math.max(...each) / mean };
}

const fewAttempts = (outcome: Outcome): string[] =>
  attempts(outcome) <= MOST_ATTEMPTS ? [] : [`${attempts(outcome).toFixed(2)} attempts for each call`];

const soonBack = (outcome: Outcome): string[] =>
  firstSuccess(outcome) <= FIRST_SUCCESS_MS
    ? []
    : [`the first success came after ${firstSuccess(outcome).toFixed(0)} ms`];

const evenly = (outcome: Outcome): string[] => {
  const { least, most } = shares(outcome);
  // Without a call to any of them both are NaN.
  return most <= EVEN && least >= 1 / EVEN
    ? []
    : [`the shares are ${least.toFixed(2)} to ${most.toFixed(2)} times the mean`];
};

interface Kind {
  readonly label: string;
  readonly begin: (backends: readonly Backend[]) => Promise<void>;
  readonly end: (backend: Backend) => Promise<unknown>;
}

const KILLED: Kind = {
  label: 'with retry, all killed',
  begin: async (backends) => void (await Promise.all(backends.map((backend) => backend.end()))),
  end: (backend) => backend.start(),
};

const UNAVAILABLE: Kind = {
  label: 'with retry, all answer UNAVAILABLE at once',
  begin: async (backends) =>
    void (await Promise.all(backends.map((backend) => backend.set({ failWith: status.UNAVAILABLE })))),
  end: (backend) => backend.set({ failWith: null }),
};

const scenarioOf = ({ label, begin, end }: Kind): Scenario => ({
  name: 'full-outage',
  title: `no backend serves for ${OUTAGE_MS / 1000} s, then they return, one each ${BETWEEN_MS / 1000} s`,
  passes: [
    {
      label,
      retry: true,
      bound:
        `at most ${MOST_ATTEMPTS} attempts for each call; first success within ${FIRST_SUCCESS_MS / 1000} s of the first return; ` +
        `shares within ${EVEN} of the mean ${EVEN_AFTER_MS / 1000} s after the last`,
      judge: all(fewAttempts, soonBack, evenly),
    },
  ],
  prepare: async () => ({ backends: await startBackends(BACKENDS) }),
  async run({ backends }) {
    const from = now();
    await begin(backends);
    await delay(OUTAGE_MS);
    const faults = [];
    for (const backend of backends) {
      await end(backend);
      faults.push({ victim: backend.address, from, to: now() });
      await delay(BETWEEN_MS);
    }
    await delay(EVEN_AFTER_MS + EVEN_FOR_MS);
    return { faults };
  },
  remark(outcome) {
    const { least, most } = shares(outcome);
    return (
      `${attempts(outcome).toFixed(2)} attempts for each call; first success ${firstSuccess(outcome).toFixed(0)} ms after the first return; ` +
      `shares of ${least.toFixed(2)} to ${most.toFixed(2)} times the mean`
    );
  },
});

/** Retries must not add load to backends that fail already, and calls must succeed soon after one is back. */
export const fullOutage: readonly Scenario[] = [scenarioOf(KILLED), scenarioOf(UNAVAILABLE)];

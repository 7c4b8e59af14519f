import { type Outcome, byStatus } from './outcome.js';

/** What a bound finds missing, in words; empty if it holds. */
type Bound = (outcome: Outcome, peer: Outcome) => string[];

export function all(...bounds: readonly Bound[]): Bound {
  return (outcome, peer) => bounds.flatMap((bound) => bound(outcome, peer));
}

export function failedAtMost(limit: number): Bound {
  return ({ failed }) =>
    failed.length <= limit ? [] : [`${failed.length} calls failed: ${JSON.stringify(byStatus(failed))}`];
}

/** Only calls that were on a connection to a victim before it was out of rotation, and got no answer. */
export const failedOnlyThere: Bound = ({ failed, rotations }) => {
  const there = rotations.reduce((sum, { unanswered }) => sum + unanswered, 0);
  return failed.length <= there ? [] : [`${failed.length} calls failed, and only ${there} were lost on the victim`];
};

export function outWithin(limit: number): Bound {
  return ({ rotations }) =>
    rotations.flatMap(({ out }) => {
      if (out === null) return ['it was never out of rotation'];
      return out < limit ? [] : [`out of rotation after ${Math.round(out)} ms`];
    });
}

/** Between the end of a process and the turn of the event loop in which its clients are told. */
const AT_ONCE_MS = 50;

export const outAtOnce: Bound = ({ rotations }) =>
  rotations.flatMap(({ out, fault }) => {
    if (out === null) return ['it was never out of rotation'];
    const late = fault.from + out - fault.gone!;
    return late < AT_ONCE_MS ? [] : [`out of rotation ${Math.round(late)} ms after its process was gone`];
  });

export const outBeforePortCloses: Bound = ({ rotations }) =>
  rotations.flatMap(({ out, fault }) => {
    if (out !== null && fault.from + out < fault.closing!) return [];
    return [`a call was sent after the port had closed, or the endpoint was never out of rotation`];
  });

/** The part of the calls of that time that the busiest backend got, over its even share. */
export function busiest({ recording: { requests } }: Outcome, backends: number, from: number, to: number): number {
  const counts = new Map<string, number>();
  for (const { at, to: peer } of requests) if (at >= from && at < to) counts.set(peer, (counts.get(peer) ?? 0) + 1);
  const shares = [...counts.values()];
  return (Math.max(...shares) / shares.reduce((sum, count) => sum + count, 0)) * backends;
}

/** It gets calls again once the fault is over. */
export const comesBack: Bound = ({ rotations }) =>
  rotations.some(({ back }) => back === null) ? ['it got no call again'] : [];

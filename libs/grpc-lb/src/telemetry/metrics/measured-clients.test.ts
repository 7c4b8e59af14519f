import { describe, expect, test } from 'vitest';
import type { ClientMetrics } from './client-metrics.js';
import { Collection } from './collection.js';
import { MeasuredClients } from './measured-clients.js';
import type { MetricName } from './metrics.js';

/** Clients with a counter, and a number and a gauge of their present state. */
function clients(name: string, target: string): ClientMetrics {
  const collect = (into = new Collection()): Collection => {
    into.add('grpc.subchannel.connection_attempts_succeeded', { target }, 5);
    into.add('grpc.lb.suspects', { name }, 1);
    into.add('grpc.lb.pending', { name }, 2);
    into.add('grpc.lb.panic', { name }, 0);
    return into;
  };
  return { clients: { name }, collect } as never;
}

const valuesOf = (measured: MeasuredClients, name: MetricName): number[] =>
  [...measured.collect().samples(name)].map(({ value }) => value);

describe.each(['all', 'shared'] as const)('if %s counters outlast their clients', (outlasting) => {
  test('the sum of a series does not fall when one of its clients goes; what is of the moment goes', async () => {
    const measured = new MeasuredClients(outlasting);
    measured.add(clients('ONE', 'dns:///orders'));
    const other = clients('OTHER', 'dns:///orders');
    const leave = measured.add(other);
    const connections = (): number[] => valuesOf(measured, 'grpc.subchannel.connection_attempts_succeeded');
    expect(connections()).toEqual([10]);
    leave();
    leave();
    // A collection lasts for one turn.
    await Promise.resolve();
    expect(connections()).toEqual([10]);
    expect([valuesOf(measured, 'grpc.lb.pending'), valuesOf(measured, 'grpc.lb.panic')]).toEqual([[2], [0]]);
    await Promise.resolve();
    expect(connections()).toEqual([10]);
    // The same ones again: their snapshots still have what was counted.
    measured.add(other)();
    measured.add(other);
    await Promise.resolve();
    expect(connections()).toEqual([10]);
  });
});

test('series that no client has any more stay, or are forgotten', async () => {
  for (const [outlasting, left, again] of [
    ['all', [1, 1], [1, 2]],
    ['shared', [1], [1, 1]],
  ] as const) {
    const measured = new MeasuredClients(outlasting);
    measured.add(clients('ONE', 'dns:///orders'));
    measured.add(clients('OTHER', 'dns:///users'))();
    expect(valuesOf(measured, 'grpc.lb.suspects')).toEqual(left);
    await Promise.resolve();
    measured.add(clients('OTHER', 'dns:///users'));
    expect(valuesOf(measured, 'grpc.lb.suspects')).toEqual(again);
  }
});

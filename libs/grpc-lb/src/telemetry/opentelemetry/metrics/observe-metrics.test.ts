import { credentials } from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import { OtelMetrics } from '../../../../../../test/support/telemetry/otel-metrics.js';
import type { ClientSnapshot, ClientState } from '../../../core/snapshot.js';
import type { CallObserver } from '../../../grpc/call/call-observer.js';
import { createBalancedChannel } from '../../../grpc/index.js';
import { observeMetrics } from './observe-metrics.js';

/** A client without endpoints, measured; returns what starts an attempt of it, and what ends the measuring. */
function measured(otel: OtelMetrics, client: string): { attempt: () => void; stop: () => void } {
  const observers: CallObserver[] = [];
  const source = { snapshot: () => [], observe: (each: CallObserver) => (observers.push(each), () => {}) };
  const stop = observeMetrics(source, { meterProvider: otel.provider });
  const call = {
    client,
    target: 'dns:///orders',
    method: '/a.B/C',
    declared: true,
    stream: false,
    setHeader: () => {},
  };
  const attempt = (): void => {
    const [observer] = observers;
    const attempted = { number: 1, kind: 'first', address: 'a:1', waited: 0, waitedFor: undefined } as const;
    observer!.callStarted(call)!.attemptStarted!(attempted);
  };
  return { attempt, stop };
}

test('the counters of several clients of one target are added up, and stay when nothing happens', async () => {
  const otel = new OtelMetrics();
  const [one, other] = [measured(otel, 'ONE'), measured(otel, 'OTHER')];
  const started = async (): Promise<number | undefined> => (await otel.collect()).value('grpc.client.attempt.started');
  for (let i = 0; i < 5; i++) one.attempt();
  for (let i = 0; i < 3; i++) other.attempt();
  expect([await started(), await started(), await started()]).toEqual([8, 8, 8]);
  other.attempt();
  expect(await started()).toBe(9);
  other.stop();
  one.attempt();
  expect([await started(), await started()]).toEqual([10, 10]);
  one.stop();
  one.stop();
});

/** Several clients of one target, whose states a test changes. */
function clientsIn(otel: OtelMetrics, ...states: ClientState[]): { states: ClientState[]; read: { count: number } } {
  const channel = createBalancedChannel({
    name: 'ONE',
    target: 'static:///127.0.0.1:1',
    credentials: credentials.createInsecure(),
  });
  const open = channel.snapshot();
  channel.close();
  const totals = { ...open.totals, connectionsOpened: 5 };
  const read = { count: 0 };
  for (const i of states.keys()) {
    const snapshot = (): ClientSnapshot => {
      read.count++;
      return { ...open, client: `CLIENT_${i}`, totals, state: states[i]! };
    };
    onTestFinished(observeMetrics({ snapshot, observe: () => () => {} }, { meterProvider: otel.provider }));
  }
  return { states, read };
}

test('the counters of a client that is closed stay in the sum, and count once when they come back', async () => {
  const otel = new OtelMetrics();
  const { states } = clientsIn(otel, 'ready', 'ready');
  const succeeded = async (): Promise<number | undefined> =>
    (await otel.collect()).value('grpc.subchannel.connection_attempts_succeeded');
  expect(await succeeded()).toBe(10);
  states[0] = 'shutdown';
  expect([await succeeded(), await succeeded()]).toEqual([10, 10]);
  states[0] = 'ready';
  expect(await succeeded()).toBe(10);
});

test('a collection reads each client once, however many are measured', async () => {
  const otel = new OtelMetrics();
  const { read } = clientsIn(otel, 'ready', 'ready', 'ready');
  for (const collections of [1, 2]) {
    await otel.collect();
    expect(read.count).toBe(3 * collections);
  }
});

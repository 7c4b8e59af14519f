import { expect, test } from 'vitest';
import { OtelMetrics } from '../../../../../../test/support/telemetry/otel-metrics.js';
import type { CallObserver } from '../../../grpc/call/call-observer.js';
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
});

import 'reflect-metadata';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { traceExemplar } from 'nestjs-grpc-lb/opentelemetry';
import { observeMetrics } from 'nestjs-grpc-lb/prometheus';
import { collectDefaultMetrics, type OpenMetricsContentType, Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { balanced, call } from '../../support/calls/call.js';
import { answerAll, message, RawPeer } from '../../support/peers/raw-peer.js';
import { inSpan, Tracing } from '../../support/telemetry/tracing.js';
import { now, Prometheus } from './prometheus.js';

test(
  'a real Prometheus reads all metrics as OpenMetrics, and finds the trace of a call',
  { timeout: 120_000 },
  async () => {
    const peer = await new RawPeer((arrived) => answerAll(arrived, { messages: [message('hello')] })).start();
    const { client, channel } = balanced(peer.target);
    const registry = new Registry<OpenMetricsContentType>();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    collectDefaultMetrics({ register: registry as never });
    onTestFinished(observeMetrics(channel, { registry, exemplars: traceExemplar }));
    const page = createServer((_, response) => {
      response.setHeader('content-type', registry.contentType);
      void registry.metrics().then((text) => response.end(text));
    });
    await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void page.close());
    const prometheus = new Prometheus(60);
    onTestFinished(() => prometheus.close());
    const start = now();
    const { port } = page.address() as AddressInfo;
    await prometheus.start([{ job: 'client', address: `127.0.0.1:${port}` }]);

    const tracing = new Tracing();
    await inSpan('order', () => call(client, 'unary'));
    const { traceId } = tracing.named('order').spanContext();
    const query = 'grpc_client_call_duration_seconds_bucket';
    await expect.poll(() => prometheus.exemplars(query, start), { timeout: 30_000 }).toHaveLength(1);
    const [found] = await prometheus.exemplars(query, start);
    expect(found!.seriesLabels).toMatchObject({ job: 'client', grpc_status: 'OK' });
    expect(found!.exemplars.map(({ labels }) => labels.trace_id)).toEqual([traceId]);
    const up = async (): Promise<readonly string[]> => {
      const [series] = await prometheus.range('up{job="client"}', start);
      return [...new Set(series?.values.map(([, value]) => value))];
    };
    await expect.poll(up, { timeout: 30_000 }).toEqual(['1']);
  },
);

import { describe, expect, test } from 'vitest';
import type { MetricDefinition } from '../../libs/grpc-lb/src/telemetry/metrics/definition.js';
import { METRICS } from '../../libs/grpc-lb/src/telemetry/metrics/metrics.js';
import { prometheusName } from '../../libs/grpc-lb/src/telemetry/metrics/prometheus-name.js';
import { quoted, readPage } from './pages.js';

/** The reference of metrics lists exactly those that there are. */

const page = readPage('docs/reference/metrics.md');
const ofAll = new Set(['grpc.lb.client', 'grpc.target']);

describe.each(['specified', 'own'])('the table of the %s metrics', (which) => {
  const { rows } = page.tables.find(({ mark }) => mark === `metrics: ${which}`)!;
  const expected = (Object.entries(METRICS) as [string, MetricDefinition][]).filter(
    ([, { source }]) => (source === 'own') === (which === 'own'),
  );

  test('has all of them', () => {
    expect(rows.map(([name]) => quoted(name!)[0])).toEqual(expected.map(([name]) => name));
  });

  test.each(expected)('has %s as it is', (name, definition) => {
    const [, prometheus, kind, unit, labels] = rows.find(([first]) => quoted(first!)[0] === name)!;
    expect(quoted(prometheus!)[0]).toBe(prometheusName(name, definition));
    expect(kind!.replace(/ \(.*/, '')).toBe(definition.kind.replaceAll('_', ' '));
    expect(quoted(unit!)[0]).toBe(definition.unit);
    const all = [...definition.labels, ...(definition.optionalLabels ?? [])];
    expect(quoted(labels!)).toEqual(which === 'own' ? all.filter((label) => !ofAll.has(label)) : all);
  });
});

test('names in the guide are names of metrics', () => {
  const known = new Set(Object.entries(METRICS).map(([name, definition]) => prometheusName(name, definition)));
  const guide = readPage('docs/operations/metrics.md');
  const queries = guide.tables.flatMap(({ rows }) => rows.flatMap((row) => row.flatMap(quoted)));
  const names = queries.flatMap(
    (query) => query.match(/\bgrpc_\w+_(?:total|seconds\w*|ratio|bytes)\b|\bgrpc_lb_\w+(?= ?[{=<>])/g) ?? [],
  );
  const metrics = names
    .map((name) => name.replace(/_(bucket|sum|count)$/, ''))
    .filter((name) => !/^grpc_lb_(wait_reason|endpoint_state|discovery_kind)$/.test(name));
  expect(metrics.length).toBeGreaterThan(8);
  for (const name of metrics) expect(known).toContain(name);
});

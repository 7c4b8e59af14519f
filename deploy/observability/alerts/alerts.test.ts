import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMPACT_METRICS } from '../../../libs/grpc-lb/src/telemetry/metrics/compact.js';
import type { MetricDefinition } from '../../../libs/grpc-lb/src/telemetry/metrics/definition.js';
import { type MetricName, METRICS } from '../../../libs/grpc-lb/src/telemetry/metrics/metrics.js';
import { prometheusName } from '../../../libs/grpc-lb/src/telemetry/metrics/prometheus-name.js';
import { readPage, ROOT, tableOf, quoted } from '../../../test/docs/pages.js';
import { unknownMetrics } from '../metric-names.js';
import { readRules } from '../rules.js';

const groups = readdirSync(join(ROOT, 'deploy/observability/alerts'))
  .filter((name) => name.endsWith('.yaml'))
  .flatMap((name) => readRules(name).groups);
const rules = groups.flatMap((group) => group.rules);
const alerts = rules.flatMap((rule) => ('alert' in rule ? [rule] : []));

describe('alerts', () => {
  it.each(alerts.map((rule) => [rule.alert, rule] as const))(
    '%s links to its section of the runbooks',
    (name, rule) => {
      const [page, anchor] = rule.annotations.runbook_url.split('#');
      expect(anchor).toBe(name.toLowerCase());
      expect(readPage(page!).anchors).toContain(anchor);
    },
  );

  it('are those of the runbooks, each of which says what you see, what to ask, and what to do', () => {
    const [, ...sections] = readFileSync(join(ROOT, 'docs/operations/runbooks.md'), 'utf8').split(/^## /m);
    expect(new Set(sections.map((section) => section.split('\n', 1)[0]))).toEqual(
      new Set(alerts.map(({ alert }) => alert)),
    );
    for (const section of sections)
      expect(section).toMatch(/^\w+\n\n\*\*You see\*\* [^]*\n\n\*\*Ask\*\*[^]*```sh\n[^]*\n\n\*\*Do\*\*/);
  });

  it('are those of the page, with their severity', () => {
    const { rows } = tableOf(readPage('docs/operations/dashboards.md'), 'Alert');
    const listed = rows.map(([name, severity]) => [/\[`(\w+)`\]/.exec(name!)![1], severity]);
    expect(Object.fromEntries(listed)).toEqual(
      Object.fromEntries(alerts.map(({ alert, labels }) => [alert, labels.severity])),
    );
    expect(rows.every(([name]) => quoted(name!).length === 1)).toBe(true);
  });

  it.each(alerts.map((rule) => [rule.alert, rule] as const))('%s has a severity and says what happens', (_, rule) => {
    expect(['critical', 'warning', 'info']).toContain(rule.labels.severity);
    expect(rule.annotations.summary).toContain('{{ $labels.job }}');
    expect(rule.annotations.description.length).toBeGreaterThan(30);
  });
});

it('the rules ask only for metrics and labels that exist', () => {
  const records = new Set(rules.flatMap((rule) => ('record' in rule ? [rule.record] : [])));
  expect(rules.flatMap(({ expr }) => unknownMetrics(expr, records))).toEqual([]);
});

it('all alerts work with detail: compact, only that of the pool sees less', () => {
  const off = new Set(
    (Object.entries(METRICS) as [MetricName, MetricDefinition][])
      .filter(([name]) => !COMPACT_METRICS.has(name))
      .map(([name, definition]) => prometheusName(name, definition)),
  );
  const missing = rules.flatMap((rule) => {
    const names = rule.expr.match(/\bgrpc_\w+/g) ?? [];
    const asks = names.some((name) => off.has(name.replace(/_(?:bucket|sum|count)$/, '')));
    return asks ? ['alert' in rule ? rule.alert : rule.record] : [];
  });
  // It still fires for connections that are full all the time.
  expect(missing).toEqual(['GrpcLbPoolSaturated']);
});

it('a metric or label that does not exist is found', () => {
  expect(unknownMetrics('rate(grpc_lb_panics[5m])')).toEqual(['grpc_lb_panics']);
  expect(unknownMetrics('sum by (grpc_lb_status) (grpc_lb_panic{grpc_lb_client="a"})')).toEqual(['grpc_lb_status']);
});

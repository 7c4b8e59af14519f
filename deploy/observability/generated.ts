import { stringify } from 'yaml';
import { DASHBOARDS } from './dashboards/all.js';
import { build } from './dashboards/build.js';
import { readRules, RULE_FILES } from './rules.js';

/**
 * The generated files and what is in them.
 *
 * @param runbooks Before the path of a runbook; empty for a path in this repository.
 */
export function generated(runbooks = ''): ReadonlyMap<string, string> {
  const dashboards = DASHBOARDS.map((each) => [`dashboards/${each.uid}.json`, build(each)] as const);
  return new Map([...dashboards, ['kubernetes/prometheus-rule.yaml', prometheusRule(runbooks)]]);
}

/** The rules as the Prometheus operator takes them. */
function prometheusRule(runbooks: string): string {
  const groups = RULE_FILES.flatMap((file) => readRules(file).groups);
  const rule = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'nestjs-grpc-lb', labels: { 'app.kubernetes.io/name': 'nestjs-grpc-lb' } },
    spec: { groups },
  };
  const text = stringify(rule, { lineWidth: 0 });
  const base = runbooks === '' || runbooks.endsWith('/') ? runbooks : `${runbooks}/`;
  return `# Generated from ../alerts by npm run observability.\n${text.replaceAll('runbook_url: ', `runbook_url: ${base}`)}`;
}

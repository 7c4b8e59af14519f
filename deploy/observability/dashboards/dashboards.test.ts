import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPage, tableOf } from '../../../test/docs/pages.js';
import { FOLDER } from '../folder.js';
import { generated } from '../generated.js';
import { unknownMetrics } from '../metric-names.js';
import { readRules, RULE_FILES } from '../rules.js';
import { DASHBOARDS } from './all.js';

const rules = RULE_FILES.flatMap((file) => readRules(file).groups.flatMap((group) => group.rules));
const records = new Set(rules.flatMap((rule) => ('record' in rule ? [rule.record] : [])));

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}

it.each([...generated()])('%s is what npm run observability makes', (file, text) => {
  expect(readFileSync(join(FOLDER, file), 'utf8')).toBe(text);
});

it('the links of alerts can be made absolute', () => {
  const text = generated('https://example.com/lb').get('kubernetes/prometheus-rule.yaml')!;
  expect(text.match(/runbook_url: /g)).toHaveLength(rules.length - records.size);
  expect(text.match(/runbook_url: https:\/\/example\.com\/lb\/docs\/operations\/runbooks\.md#\w+$/gm)).toHaveLength(
    rules.length - records.size,
  );
});

describe.each(DASHBOARDS.map((each) => [each.title, each] as const))('%s', (_, dashboard) => {
  const panels = dashboard.rows.flatMap((row) => row.panels);

  it('asks only for metrics and labels that exist', () => {
    const queries = panels.flatMap((panel) => panel.queries.map(({ expr }) => expr));
    const variables = dashboard.variables.map(({ series, of }) => `sum by (${of}) (${series})`);
    expect([...queries, ...variables].flatMap((each) => unknownMetrics(each, records))).toEqual([]);
  });

  it('has names in its legends that its queries return', () => {
    for (const { queries } of panels)
      for (const { expr, legend } of queries)
        for (const [, label] of legend.matchAll(/\{\{(\w+)\}\}/g))
          expect(expr, legend).toMatch(new RegExp(`by \\([^)]*\\b${label}\\b`));
  });

  it('has each panel once, with a question', () => {
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
    for (const { title, description } of panels) expect(description, title).toContain('?');
  });

  it('has panels that do not overlap, with numbers of their own', () => {
    const { panels: all } = JSON.parse(generated().get(`dashboards/${dashboard.uid}.json`)!) as { panels: Panel[] };
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    const cells = new Set<string>();
    for (const { gridPos } of all)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(x).toBeLessThan(24);
          expect(cells.has(`${x} ${y}`), `${x} ${y}`).toBe(false);
          cells.add(`${x} ${y}`);
        }
  });

  it('is described in the documents, panel by panel', () => {
    const { rows } = tableOf(readPage('docs/operations/dashboards.md'), `Panel of _${dashboard.title}_`);
    expect(rows.map(([title]) => title)).toEqual(panels.map(({ title }) => title));
  });
});

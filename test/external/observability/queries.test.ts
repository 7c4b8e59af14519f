import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { commandsOf } from '../../docs/commands.js';
import { readPage, readPages, tableOf } from '../../docs/pages.js';
import { promtool } from './promtool.js';

/** The queries of the documents are PromQL. That their metrics exist is tested in test/docs. */

const fromCommands = readPages().flatMap(({ path, code }) =>
  code
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => commandsOf(text))
    .flatMap((line) => {
      const [, query] = /^promtool query instant \$PROM '(.*)'$/.exec(line) ?? [];
      return query === undefined ? [] : [[query, path] as const];
    }),
);
const fromTable = tableOf(readPage('docs/operations/metrics.md'), 'Question').rows.flatMap(([, cell]) =>
  [...cell!.matchAll(/`([^`]+)`/g)].map(([, query]) => [query!.replaceAll('\\|', '|'), 'docs/operations/metrics.md']),
);
const queries = [...fromCommands, ...fromTable] as readonly (readonly [string, string])[];

/** Parses a query as that of a rule. */
async function check(query: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'grpc-lb-queries-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, 'rules.yaml');
  await writeFile(file, stringify({ groups: [{ name: 'documents', rules: [{ record: 'query', expr: query }] }] }));
  return promtool('check', 'rules', file);
}

test('there are queries', () => {
  expect(fromCommands.length).toBeGreaterThan(15);
  expect(fromTable.length).toBeGreaterThan(10);
});

test.each(queries)('promtool understands %s, of %s', async (query) => {
  expect(await check(query)).toContain('SUCCESS: 1 rules found');
});

test('a wrong one is detected', async () => {
  await expect(check('sum by (instance) rate(grpc_server_call_started_total[5m])')).rejects.toThrow('parse error');
});

import { describe, expect, it } from 'vitest';
import { VARIABLES } from '../../libs/grpc-lb/src/config/read-environment.js';
import { POLICY_NAMES } from '../../libs/grpc-lb/src/core/options/policy-config.js';
import { DEFAULT_CHANNEL_OPTIONS } from '../../libs/grpc-lb/src/grpc/config/channel-options.js';
import { environmentName } from '../../libs/grpc-lb/src/nest/environment-name.js';
import { CHECKED, PublicTypes } from './known-names.js';
import { quoted, readPage, readPages, tableOf } from './pages.js';

/** The documents list exactly the names that exist. */

const types = new PublicTypes();
const sorted = (names: Iterable<string>): string[] => [...new Set(names)].toSorted();
const tables = readPages().flatMap((page) => page.tables);
/** The names in the first columns of the tables below `<!-- mark -->`. */
const namesBelow = (mark: string): string[] =>
  sorted(tables.filter((table) => table.mark === mark).flatMap(({ rows }) => rows.flatMap(([name]) => quoted(name!))));

describe('options', () => {
  const prefix = 'options: ';
  const marks = sorted(tables.flatMap(({ mark }) => (mark.startsWith(prefix) ? [mark.slice(prefix.length)] : [])));

  it.each(Object.keys(CHECKED))('%s: those that the checks know', (mark) => {
    expect(namesBelow(`${prefix}${mark}`)).toEqual(sorted(CHECKED[mark]!));
  });

  // Those of keepalive have no type of their own.
  it.each(marks.filter((mark) => mark !== 'keepalive'))('%s: those of the type', (mark) => {
    const elsewhere = new Set(mark === 'GrpcLbClientDecoratorOptions' ? types.fields('GrpcLbClientOptions') : []);
    if (mark.endsWith('Config')) elsewhere.add('name');
    const declared = types.fields(mark).filter((field) => !elsewhere.has(field));
    expect(namesBelow(`${prefix}${mark}`)).toEqual(sorted(declared));
  });
});

it('editors show a default of every option, or that it is required', () => {
  expect(types.optionsWithoutDefault()).toEqual([]);
});

it('the migration page has the channel options that differ from grpc-js, with their values', () => {
  const { rows } = tableOf(readPage('docs/guide/migration.md'), 'Channel option');
  const declared = Object.entries(DEFAULT_CHANNEL_OPTIONS).map(([name, value]) => [name, String(value)]);
  expect(Object.fromEntries(rows.map(([name, , here]) => [quoted(name!)[0], here]))).toEqual({
    ...Object.fromEntries(declared),
    'grpc.client_idle_timeout_ms': 'never',
  });
});

it.each(['README.md', 'libs/grpc-lb/README.md', 'docs/guide/policies.md'])('%s has all policies', (path) => {
  const { rows } = tableOf(readPage(path), 'Policy');
  expect(sorted(rows.flatMap(([name]) => quoted(name!)))).toEqual(sorted(POLICY_NAMES));
});

it('events are those of LbEvent, with their fields', () => {
  const table = tables.find(({ mark }) => mark === 'events');
  const ofEach = new Set(['type', 'client', 'time']);
  const documented = table!.rows.map(([type, fields]) => [quoted(type!)[0], sorted(quoted(fields!))] as const);
  const declared = [...types.variants('LbEvent')].map(
    ([type, fields]) => [type, sorted(fields.filter((field) => !ofEach.has(field)))] as const,
  );
  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(declared));
});

describe('environment variables', () => {
  it('are the ones that are read', () => {
    expect(namesBelow('variables')).toEqual(sorted(VARIABLES));
  });

  it('are listed beside their options', () => {
    const withVariables = readPage('docs/reference/options.md').tables.filter(({ header }) => header.at(-1) === 'V');
    const names = withVariables.flatMap(({ rows }) => rows.flatMap((row) => quoted(row.at(-1)!)));
    expect(sorted(names)).toEqual(sorted(VARIABLES));
  });

  it('spell the name of a client as documented', () => {
    const { rows } = tableOf(readPage('docs/guide/configuration.md'), 'Client');
    for (const [client, name] of rows) {
      expect(environmentName(quoted(client!)[0]!.replaceAll("'", ''))).toBe(quoted(name!)[0]);
    }
  });
});

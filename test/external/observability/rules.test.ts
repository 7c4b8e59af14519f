import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { FAULTS } from './faults.js';
import { promtool, RULE_FILES, testRules } from './promtool.js';
import { BEGIN, COUNTERS, END, inputSeries, LASTS, SERIES } from './series.js';

interface RuleFile {
  readonly groups: readonly { readonly rules: readonly { readonly alert?: string }[] }[];
}

/** Two days, in minutes: the windows of the slow alerts are a day and three. */
const LONG = 2 * 24 * 60;
const SLOW = ['GrpcClientErrorBudgetBurnSlow', 'GrpcServerErrorBudgetBurnSlow'];

test('promtool accepts the rules', async () => {
  expect(await promtool('check', 'rules', ...RULE_FILES)).toMatch(/SUCCESS: \d+ rules found[^]*SUCCESS/);
});

test('each alert has a fault here that must fire it', async () => {
  const files = await Promise.all(RULE_FILES.map(async (file) => parse(await readFile(file, 'utf8')) as RuleFile));
  const alerts = files.flatMap(({ groups }) =>
    groups.flatMap(({ rules }) => rules.flatMap(({ alert }) => alert ?? [])),
  );
  expect(new Set([...FAULTS.map(({ alert }) => alert), ...SLOW])).toEqual(new Set(alerts));
});

test('a quiet hour fires none', async () => {
  const minutes = Array.from({ length: BEGIN / 5 + 1 }, (_, i) => i * 5);
  await testRules(
    inputSeries({}),
    minutes.map((minute) => ({ minute, firing: [] })),
  );
});

test.each(FAULTS)('$alert fires, and no other: $what', async ({ alert, changes, silent, fires, afterwards = [] }) => {
  const last = BEGIN + LASTS - 1;
  await testRules(inputSeries(changes), [
    { minute: BEGIN - 1, firing: [] },
    { minute: BEGIN + silent, firing: [] },
    { minute: BEGIN + fires, firing: [alert] },
    { minute: last, firing: [alert] },
    { minute: END - 1, firing: afterwards },
  ]);
});

describe('an error rate of 0.4 %', () => {
  test.each([
    ['GrpcClientErrorBudgetBurnSlow', SERIES.calls('UNAVAILABLE'), SERIES.calls('OK')],
    ['GrpcServerErrorBudgetBurnSlow', SERIES.answers('INTERNAL'), SERIES.answers('OK')],
  ])('fires %s, and no other', async (alert, failed, succeeded) => {
    const series = [
      { series: succeeded, values: `0+${COUNTERS[succeeded]!}x${LONG}` },
      { series: failed, values: `0+240x${LONG}` },
    ];
    await testRules(series, [{ minute: LONG, firing: [alert] }], 5);
  });
});

test('a backend that is away for two minutes of every five, as in a rolling update, fires none', async () => {
  const state = SERIES.endpoints('transient_failure');
  const rolling = { series: state, values: Array.from({ length: END / 5 }, () => '1 1 0 0 0').join(' ') };
  const series = inputSeries({}).map((each) => (each.series === state ? rolling : each));
  await testRules(
    series,
    Array.from({ length: END / 5 }, (_, i) => ({ minute: i * 5 + 1, firing: [] })),
  );
});

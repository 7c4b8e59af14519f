import { expect, test } from 'vitest';
import { HELP } from '../../libs/grpc-lb/src/doctor/cli/help.js';
import { DIAGNOSES } from '../../libs/grpc-lb/src/doctor/codes.js';
import { DOCTOR_CHECKS } from '../../libs/grpc-lb/src/doctor/report.js';
import { quoted, readPage } from './pages.js';

const page = readPage('docs/operations/doctor.md');

test('the page of the doctor has exactly the existing codes, with their severity', () => {
  const { rows } = page.tables.find(({ mark }) => mark === 'doctor codes')!;
  const documented = rows.map(([code, severity]) => [quoted(code!)[0], severity]);
  const existing = Object.entries(DIAGNOSES).map(([code, { severity }]) => [code, severity]);
  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(existing));
});

test('its options on the command line are those of the help', () => {
  const flags = (text: string): string[] => [...new Set(text.match(/--[a-z-]+/g))].toSorted();
  const { rows } = page.tables.find(({ mark }) => mark === 'options: DoctorOptions')!;
  const documented = flags(rows.map(([, flag]) => flag).join(' '));
  const more = ['--fail-on', '--help', '--json', '--version'];
  expect([...documented, ...more].toSorted()).toEqual(flags(HELP));
});

test('its example has all checks, in their order', () => {
  const example = page.code.find(({ text }) => text.includes('endpoints examined'))!.text;
  const names = [...example.matchAll(/^(?:ok|findings|not-checked) +(\S+)/gm)].map(([, name]) => name);
  expect(names).toEqual([...DOCTOR_CHECKS]);
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { effectiveLocality, type LocalityOptions } from '../../core/options/locality-options.js';
import { localZone, ZONE_VARIABLE } from './local-zone.js';

let directory: string;
let warnings: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'grpc-lb-zone-'));
  warnings = [];
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

const zoneOf = (options: LocalityOptions): string | undefined =>
  localZone(effectiveLocality(options), (warning) => warnings.push(warning));

function file(text: string): string {
  const path = join(directory, 'zone');
  writeFileSync(path, text);
  return path;
}

test('comes from the option, else the file, else the environment, trimmed', () => {
  vi.stubEnv(ZONE_VARIABLE, ' of-the-environment ');
  const zoneFile = file('of-the-file\n');
  expect(zoneOf({ zone: ' of-the-option', zoneFile })).toBe('of-the-option');
  expect(zoneOf({ zoneFile })).toBe('of-the-file');
  expect(zoneOf({})).toBe('of-the-environment');
  vi.stubEnv(ZONE_VARIABLE, undefined);
  expect(zoneOf({})).toBeUndefined();
  expect(warnings).toEqual([]);
});

test('is undefined if zones are off, and nothing is read', () => {
  vi.stubEnv(ZONE_VARIABLE, 'a');
  expect(zoneOf({ enabled: false, zone: 'a', zoneFile: join(directory, 'missing') })).toBeUndefined();
  expect(warnings).toEqual([]);
});

test('an empty file is ignored', () => {
  vi.stubEnv(ZONE_VARIABLE, 'a');
  expect(zoneOf({ zoneFile: file('\n') })).toBe('a');
  vi.stubEnv(ZONE_VARIABLE, '  ');
  expect(zoneOf({ zoneFile: file('') })).toBeUndefined();
});

test('an unreadable file causes a warning, and the environment is used', () => {
  vi.stubEnv(ZONE_VARIABLE, 'a');
  const missing = join(directory, 'missing');
  expect(zoneOf({ zoneFile: missing })).toBe('a');
  expect(zoneOf({ zoneFile: directory })).toBe('a');
  expect(warnings).toEqual([
    expect.stringMatching(/^the zone cannot be read from locality\.zoneFile, so GRPC_LB_ZONE is used: ENOENT/),
    expect.stringContaining('EISDIR'),
  ]);
});

test.each([undefined, '', ' '])(
  'where the environment has none either (%j), the warning does not point there',
  (value) => {
    vi.stubEnv(ZONE_VARIABLE, value);
    expect(zoneOf({ zoneFile: join(directory, 'missing') })).toBeUndefined();
    expect(warnings).toEqual([expect.stringMatching(/locality\.zoneFile, so zones are ignored: ENOENT/)]);
  },
);

test('the file is not read if the option is set', () => {
  expect(zoneOf({ zone: 'a', zoneFile: join(directory, 'missing') })).toBe('a');
  expect(warnings).toEqual([]);
});

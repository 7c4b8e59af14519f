import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSync } from '@grpc/proto-loader';
import { expect, it, onTestFinished } from 'vitest';
import { protoLoaderOf } from './proto-loader.js';

it('is @grpc/proto-loader unless the application configures another', () => {
  expect(protoLoaderOf('test').loadSync).toBe(loadSync);
  expect(protoLoaderOf('test', '@grpc/proto-loader').loadSync).toBe(loadSync);
});

it('another one is looked up from the main script', () => {
  const folder = mkdtempSync(join(tmpdir(), 'proto-loader-'));
  const main = process.argv[1]!;
  onTestFinished(() => {
    process.argv[1] = main;
    rmSync(folder, { recursive: true });
  });
  process.argv[1] = join(folder, 'main.js');
  writeFileSync(join(folder, 'loader.cjs'), 'exports.loadSync = () => ({ own: true });');
  expect(protoLoaderOf('test', './loader.cjs').loadSync('orders.proto')).toEqual({ own: true });
  expect(() => protoLoaderOf('test', 'no-such-loader')).toThrow(/Cannot find module 'no-such-loader'/);
});

it('another one is looked up from the working directory too', () => {
  expect(protoLoaderOf('test', 'vitest/package.json')).toMatchObject({ name: 'vitest' });
});

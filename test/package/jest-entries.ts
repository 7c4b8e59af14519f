import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { readPage } from '../docs/pages.js';

/** Every entry of the package that has code, as in `nestjs-grpc-lb/console`. */
export const ENTRIES: readonly string[] = Object.keys(
  (JSON.parse(readFileSync(join(inject('unpacked'), 'package.json'), 'utf8')) as { exports: object }).exports,
)
  .filter((entry) => entry !== './package.json')
  .map((entry) => `nestjs-grpc-lb${entry.slice(1)}`);

/** Needs a line of its own in Jest, because the client of Kubernetes consists of ES modules. */
export const KUBERNETES = 'nestjs-grpc-lb/kubernetes';

/** Builds the console module, so that its files are read. */
const CONSOLE = `
test('the console finds its page', async () => {
  const { Test } = require('@nestjs/testing');
  const { GrpcLbModule } = require('nestjs-grpc-lb');
  const { GrpcLbConsoleModule } = require('nestjs-grpc-lb/console');
  const imports = [GrpcLbModule.forRoot(), GrpcLbConsoleModule.forRoot()];
  await (await Test.createTestingModule({ imports }).compile()).close();
});
`;

/** Starts a server, which loads its optional packages then. Needs the guide's orders.proto. */
const SERVER = `
test('a server loads what it needs', async () => {
  const { Module } = require('@nestjs/common');
  const { NestFactory } = require('@nestjs/core');
  const { grpcServer } = require('nestjs-grpc-lb/server');
  class Empty {}
  Module({})(Empty);
  const options = { url: '127.0.0.1:0', package: 'orders.v1', protoPath: 'orders.proto' };
  const server = grpcServer({ options }, { reflection: true, drain: { delay: 0 } });
  const app = await NestFactory.createMicroservice(Empty, { ...server, logger: ['error'] });
  await app.listen();
  await app.close();
});
`;

/** A test for Jest that loads each of some entries, and fails by the name of what it cannot load. */
export function loadTest(entries: readonly string[]): string {
  const tests = entries.map(
    (entry) => `test('${entry}', () => expect(Object.keys(require('${entry}'))).not.toEqual([]));`,
  );
  return [...tests, ...(entries.length > 1 ? [CONSOLE, SERVER] : [])].join('\n');
}

/** A block of settings of the page about testing: the first that has all these words. */
export function jestSettings(...words: string[]): object {
  const { code } = readPage('docs/guide/testing.md');
  const found = code.find(({ text }) => text.startsWith('{') && words.every((word) => text.includes(word)));
  return JSON.parse(found!.text) as object;
}

/** Adds settings to the key `jest` of an application. */
export function addToJestKey(app: string, settings: object): void {
  const path = join(app, 'package.json');
  const { jest } = JSON.parse(readFileSync(path, 'utf8')) as { jest: object };
  addToFile(path, { jest: { ...jest, ...settings } });
}

/** Adds settings to a file of JSON. */
export function addToFile(path: string, settings: object): void {
  writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as object), ...settings }));
}

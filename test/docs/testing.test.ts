import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recipeFiles, scenarios } from '../support/testing/recipes.js';
import { ROOT } from './pages.js';

// In the repository, where the packages and the aliases of the tests are found. The tests of the page become tests of
// this file.
const folder = mkdtempSync(join(ROOT, 'test/docs/recipes-'));
const home = process.cwd();
afterAll(() => rmSync(folder, { recursive: true }));

const compilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
};
for (const [name, text] of recipeFiles('vitest')) {
  const path = join(folder, name.replace(/\.ts$/, '.js'));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, name.endsWith('.ts') ? ts.transpileModule(text, { compilerOptions }).outputText : text);
}

describe('the recipes of the page about testing', () => {
  it('are five, of at most five lines', () => {
    const lengths = [...scenarios()].map(([name, lines]) => [name, lines.length] as const);
    expect(lengths.map(([name]) => name)).toEqual(['slow', 'dies', 'drains', 'full', 'partition']);
    expect(lengths.filter(([, lines]) => lines > 5)).toEqual([]);
  });
});

describe('run as they are:', () => {
  // The path of the proto file is relative, as on the page.
  beforeAll(() => process.chdir(folder));
  afterAll(() => process.chdir(home));
  for (const name of recipeFiles('vitest').keys()) {
    if (!name.endsWith('.spec.ts')) continue;
    // Each with its own hooks.
    describe(`${name},`, async () => {
      await import(join(folder, name.replace(/\.ts$/, '.js')));
    });
  }
});

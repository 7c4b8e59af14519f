import { readPage } from '../../docs/pages.js';

/** The test runners whose functions the recipes may import. */
export type Runner = 'vitest' | '@jest/globals' | 'node:test';

/** The files of the page about testing, by name, as its reader would write them for a runner; with Jest's configs. */
export function recipeFiles(runner: Runner): ReadonlyMap<string, string> {
  const files = readPage('docs/guide/testing.md').code.flatMap(({ text }): [string, string][] => {
    const name = /^\/\/ ((?:src|test)\/[\w.]+\.ts|orders\.proto|[\w.-]+\.cjs)$/.exec(text.split('\n', 1)[0]!)?.[1];
    return name === undefined ? [] : [[name, text.replace("from 'vitest'", `from '${runner}'`)]];
  });
  return new Map(files);
}

/** The scenarios, by name: the lines of each. */
export function scenarios(): ReadonlyMap<string, readonly string[]> {
  const text = recipeFiles('vitest').get('test/recipes.spec.ts')!;
  const found = [...text.matchAll(/^it\('(\w+): .*\n([^]*?)\n\}\);$/gm)];
  return new Map(found.map(([, name, body]) => [name!, body!.split('\n')]));
}

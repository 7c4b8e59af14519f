import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it, test } from 'vitest';
import { isApiPage } from './api/examples.js';
import { readPages, ROOT } from './pages.js';

/** What the code of the pages has that CommonJS does not, with what the documents say about it. */
const NAMED = new Map([
  ["from './", 'relative imports without `.js`'],
  ['import.meta.dirname', '`__dirname` instead of `import.meta.dirname`'],
  ['await', '`await` only within functions'],
]);

/** What of a file works only in an ES module. */
function onlyInEsModules(text: string): string[] {
  const found = new Set<string>();
  const visit = (node: ts.Node, isInFunction: boolean): void => {
    if (ts.isMetaProperty(node)) found.add(node.parent.getText());
    if (!isInFunction && (ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier)))
      found.add('await');
    if (ts.isImportDeclaration(node) && /^'\..*\.js'$/.test(node.moduleSpecifier.getText())) found.add("from './");
    const within = isInFunction || ts.isFunctionLike(node);
    ts.forEachChild(node, (child) => visit(child, within));
  };
  visit(ts.createSourceFile('block.ts', text, ts.ScriptTarget.Latest, true), false);
  return [...found];
}

test('the documents name each difference of CommonJS that their code has', () => {
  const blocks = readPages()
    .filter((page) => !isApiPage(page) && !page.path.startsWith('docs/decisions/'))
    .flatMap(({ code }) => code.filter(({ language }) => language === 'ts'));
  const found = new Set(blocks.flatMap(({ text }) => onlyInEsModules(text)));
  expect([...found].toSorted()).toEqual([...NAMED.keys()].toSorted());
});

describe.each(['README.md', 'docs/guide/getting-started.md'])('%s', (path) => {
  it.each([...NAMED.values()])('says: %s', (text) => {
    expect(readFileSync(join(ROOT, path), 'utf8')).toContain(text);
  });
});

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkMisuse } from './check-misuse.js';

const CASES = join(import.meta.dirname, 'misuse');
const cases = readdirSync(CASES).filter((name) => name.endsWith('.ts'));

describe('misuse does not compile', () => {
  const checked = new Map(checkMisuse(cases.map((name) => join(CASES, name))).map((misuse) => [misuse.file, misuse]));

  it.each(cases)('%s', (name) => {
    expect(checked.get(join(CASES, name))?.problems).toEqual([]);
  });
});

describe('a misuse test', () => {
  const directory = mkdtempSync(join(tmpdir(), 'misuse-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  /** What `checkMisuse` says of each text. */
  function problems(texts: readonly string[]): (readonly string[])[] {
    const files = texts.map((_, index) => join(directory, `case-${index}.ts`));
    for (const [index, file] of files.entries()) writeFileSync(file, `export {};\n${texts[index]}\n`);
    return checkMisuse(files).map((misuse) => misuse.problems);
  }

  it('passes with exactly the expected error, and fails with another, a missing, or an extra one', () => {
    const wrong = `const a: number = 'x';`;
    expect(
      problems([
        `// error: not assignable to type 'number'\n${wrong}`,
        `// error: not assignable to type 'number'\nconst a: number =\n  'x';\n// error: Cannot find name\nnobody();`,
        `// error: something else\n${wrong}`,
        `// error: not assignable\nconst a = 'x';`,
        `// error: not assignable\n${wrong}\n${wrong.replace('a', 'b')}`,
        `${wrong}\n// error: Cannot find name\nnobody();`,
        `const a = 'x';`,
      ]),
    ).toEqual([
      [],
      [],
      [expect.stringContaining('line 3: not expected: Type'), 'line 2: compiles, but should not: something else'],
      ['line 2: compiles, but should not: not assignable'],
      [expect.stringContaining('line 4: not expected: Type')],
      [expect.stringContaining('line 2: not expected: Type')],
      ['has no "// error: ..." comment'],
    ]);
  });
});

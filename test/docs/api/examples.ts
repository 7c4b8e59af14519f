import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Page, ROOT } from '../pages.js';

/**
 * The examples of the API reference, and the blocks `ts partial` of other pages, are short: they use the exports of their
 * page and of the main entries without imports, and names of an application that any reader guesses (`application.ts`),
 * and often they show one property of an options object. This makes a program of each.
 */

const FOLDER = 'docs/reference/api/';

export const isApiPage = ({ path }: Page): boolean => path.startsWith(FOLDER) && !path.endsWith('/README.md');

/** The name with which the exports of a page are imported. */
export const importName = (path: string): string =>
  `nestjs-grpc-lb/${path.slice(FOLDER.length, -3)}`.replace(/\/main$/, '');

/** The exports that a page describes, or lists as described elsewhere. */
export function exportsOf(path: string): string[] {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const described = [...text.matchAll(/^### (?:`\w+` )?([\w\\]+)/gm)].map(([, name]) => name!.replaceAll('\\', ''));
  const [others = ''] = /^Also exports .*$/m.exec(text) ?? [];
  return [...described, ...[...others.matchAll(/\[(\w+)\]/g)].map(([, name]) => name!)];
}

const APPLICATION_NAMES = [
  ...readFileSync(join(ROOT, 'test/docs/api/application.ts'), 'utf8').matchAll(
    /^export (?:declare )?(?:(?:const|class|interface|type) (\w+)|\{ ([\w, ]+) \})/gm,
  ),
].flatMap(([, one, some]) => some?.split(', ') ?? [one!]);

/** The page with complete files in the place of its short examples. */
export function withPrograms(page: Page): Page {
  const isApi = isApiPage(page);
  const near = ['grpc', 'server', 'main'].map((name) => `${FOLDER}${name}.md`);
  // Pages are compiled as if they were in test/docs/pages.
  const application = `${'../'.repeat(page.path.split('/').length + 1)}api/application.js`;
  const sources = [
    [application, APPLICATION_NAMES] as const,
    ...[...near, ...(isApi ? [page.path] : [])].map((path) => [importName(path), exportsOf(path)] as const),
  ];
  const from = new Map(sources.flatMap(([source, names]) => names.map((name) => [name, source] as const)));
  const short = isApi ? 'ts' : 'ts partial';
  const code = page.code.map(({ language, text }) =>
    language === short ? { language: 'ts', text: program(text, from) } : { language, text },
  );
  return { ...page, code };
}

/** The first line of a program whose imports are guessed from the words in it. */
export const UNUSED_IMPORTS = '// Some imports may be unused.';

function program(text: string, from: ReadonlyMap<string, string>): string {
  const declared = [...text.matchAll(/^(?:export )?(?:const|class) (?:\{ ([\w, ]+) \}|(\w+))/gm)].flatMap(
    ([, some, one]) => some?.split(', ') ?? [one!],
  );
  const body = wrapped(text, declared);
  const words = new Set(body.match(/(?<![.\w])[A-Za-z_]\w*(?!\w|: )/g));
  const imports = [...words].filter((name) => from.has(name) && !declared.includes(name));
  return [UNUSED_IMPORTS, ...imports.map((name) => `import { ${name} } from '${from.get(name)}';`), body].join('\n');
}

/** A property becomes one of an object, a decorated method one of a class, and statements the body of a method. */
function wrapped(text: string, declared: readonly string[]): string {
  if (/^export /m.test(text)) return text;
  if (/^\w+: /.test(text)) return `export const options: AnyOptions = {\n${text}\n};`;
  if (/^@.*\)\n\w+\(/m.test(text)) return `export class Example extends Context {\n${text}\n}`;
  const end = declared.length > 0 ? `\nreturn { ${declared.join(', ')} };` : '';
  return `export class Example extends Context {\nasync run() {\n${text}${end}\n}\n}`;
}

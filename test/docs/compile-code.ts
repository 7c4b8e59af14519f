import { dirname, join } from 'node:path';
import ts from 'typescript';
import { UNUSED_IMPORTS } from './api/examples.js';
import { type Page, ROOT } from './pages.js';

/** The virtual directory of the code of the pages; nothing is written there. */
const FOLDER = join(ROOT, 'test/docs/pages');

const FILE_NAME = /^\/\/ ([\w./-]+\.ts)$/;

/** The complete TypeScript blocks of a page as files: `// src/main.ts` in the first line is the name of one. */
export function filesOf(page: Page): Map<string, string> {
  const files = new Map<string, string>();
  for (const [index, { language, text }] of page.code.entries()) {
    if (language !== 'ts') continue;
    const folder = join(FOLDER, page.path.replace(/\.md$/, ''));
    let name = FILE_NAME.exec(text.split('\n', 1)[0]!)?.[1] ?? `block-${index}.ts`;
    // A page may show two ways to write one file. The others see the first.
    if (files.has(join(folder, name))) name = name.replace(/\.ts$/, `.${index}.ts`);
    // Without imports it would be a script, and its names known to all others.
    files.set(join(folder, name), `${text}\nexport {};\n`);
  }
  return files;
}

/** The compiler errors in each page's code; pages without errors are left out. */
export function compile(pages: readonly Page[]): Map<string, string[]> {
  const files = new Map(pages.flatMap((page) => [...filesOf(page)]));
  const folders = new Set([...files.keys()].flatMap(foldersAbove));
  const options = compilerOptions();
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile, directoryExists } = host;
  host.fileExists = (name) => files.has(name) || fileExists.call(host, name);
  host.readFile = (name) => files.get(name) ?? readFile.call(host, name);
  host.directoryExists = (name) => folders.has(name) || (directoryExists?.call(host, name) ?? true);
  host.getSourceFile = (name, languageVersion, ...rest) => {
    const text = files.get(name);
    return text === undefined
      ? getSourceFile.call(host, name, languageVersion, ...rest)
      : ts.createSourceFile(name, text, languageVersion, true);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  const faults = new Map<string, string[]>();
  for (const page of pages) {
    const found = [...filesOf(page).keys()].flatMap((file) => faultsOf(program, file));
    if (found.length > 0) faults.set(page.path, found);
  }
  return faults;
}

const UNUSED = 6133;

function faultsOf(program: ts.Program, file: string): string[] {
  const source = program.getSourceFile(file)!;
  return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    .filter(({ code }) => code !== UNUSED || !source.text.startsWith(UNUSED_IMPORTS))
    .map(({ start = 0, messageText }) => {
      const line = source.getLineAndCharacterOfPosition(start).line + 1;
      return `${file.slice(FOLDER.length + 1)}:${line} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
}

function foldersAbove(path: string): string[] {
  const folder = dirname(path);
  return folder.length < FOLDER.length ? [] : [folder, ...foldersAbove(folder)];
}

/** Those of the workspace, so that `nestjs-grpc-lb` is the sources. */
export function compilerOptions(): ts.CompilerOptions {
  const path = join(ROOT, 'tsconfig.json');
  const read = ts.readConfigFile(path, (name) => ts.sys.readFile(name));
  const { options } = ts.parseJsonConfigFileContent(read.config, ts.sys, ROOT, undefined, path);
  return { ...options, noEmit: true, rootDir: undefined };
}

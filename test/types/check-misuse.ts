import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/**
 * Code that must not compile. Each mistake stands below a comment that quotes a part of what the compiler says of it:
 *
 *     // error: Property 'choices' does not exist
 *     leastRequest({ choices: 2 });
 *
 * Between such a comment and the next one, or the end of the file, there is exactly that one error; before the first
 * comment there is none. What holds is thus the reason, not just that something is wrong.
 */
export interface Misuse {
  readonly file: string;
  /** What differs from what the comments say; empty when all is as said. */
  readonly problems: readonly string[];
}

interface Expected {
  readonly line: number;
  readonly message: string;
  found: boolean;
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const COMMENT = /^\s*\/\/ error: (.+)$/;

/** Checks all files in one program, since most of the time goes into reading the types of Nest and grpc-js. */
export function checkMisuse(files: readonly string[]): Misuse[] {
  const program = ts.createProgram(files, compilerOptions());
  return files.map((file) => {
    const source = program.getSourceFile(file);
    if (!source) return { file, problems: ['cannot be read'] };
    const errors = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return { file, problems: compare(source, errors) };
  });
}

/** Those of the workspace, so that `nestjs-grpc-lb` is the sources. */
function compilerOptions(): ts.CompilerOptions {
  const path = `${ROOT}tsconfig.json`;
  const read = ts.readConfigFile(path, (name) => ts.sys.readFile(name));
  const { options } = ts.parseJsonConfigFileContent(read.config, ts.sys, ROOT, undefined, path);
  // A case declares things only for the compiler to look at.
  return { ...options, noEmit: true, rootDir: undefined, noUnusedLocals: false, noUnusedParameters: false };
}

function compare(source: ts.SourceFile, errors: readonly ts.Diagnostic[]): string[] {
  const expected = source.text.split('\n').flatMap((text, index): Expected[] => {
    const message = COMMENT.exec(text)?.[1];
    return message === undefined ? [] : [{ line: index + 1, message, found: false }];
  });
  const problems = expected.length === 0 ? ['has no "// error: ..." comment'] : [];
  for (const error of errors) {
    const line = source.getLineAndCharacterOfPosition(error.start ?? 0).line + 1;
    const message = ts.flattenDiagnosticMessageText(error.messageText, '\n');
    const comment = expected.findLast((candidate) => candidate.line < line);
    if (comment && !comment.found && message.includes(comment.message)) comment.found = true;
    else problems.push(`line ${line}: not expected: ${message}`);
  }
  for (const { line, message, found } of expected) {
    if (!found) problems.push(`line ${line}: compiles, but should not: ${message}`);
  }
  return problems;
}

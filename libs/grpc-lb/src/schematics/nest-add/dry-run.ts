import type { Context, Tree } from './devkit.js';

/** What becomes of a file, in the words of the devkit. */
const WORDS: Readonly<Record<string, string>> = { c: 'CREATE', o: 'UPDATE' };

/**
 * Applies changes to a copy of the project, and says which. Nest's command-line tool passes `-d` on as it is, and the
 * runner of the devkit knows only `--dry-run`.
 */
export function dryRun(tree: Tree, { logger }: Context, change: (copy: Tree, context: Context) => void): void {
  const copy = tree.branch();
  change(copy, { logger, addTask: () => undefined });
  for (const { kind, path } of copy.actions) logger.info(`${WORDS[kind] ?? kind} ${path.slice(1)}`);
  logger.info('Dry run: no file is written.');
}

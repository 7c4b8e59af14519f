/**
 * The part of `@angular-devkit/schematics` that is used here. Nest's command-line tool brings that package and runs the
 * schematic, in Nest 11 and 12 with different majors of it, so that nothing of it is imported.
 */

/** The files of the project. Nothing is written before the schematic has succeeded. */
export interface Tree {
  exists(path: string): boolean;
  readText(path: string): string;
  create(path: string, content: string): void;
  overwrite(path: string, content: string): void;
  /** A copy, whose changes are its own. */
  branch(): Tree;
  /** What has changed: `c` for a file that is created, `o` for one that is overwritten. */
  readonly actions: readonly { readonly kind: string; readonly path: string }[];
  getDir(path: string): { readonly subfiles: readonly string[]; readonly subdirs: readonly string[] };
}

export interface Context {
  readonly logger: { info(message: string): void; warn(message: string): void };
  addTask(task: { toConfiguration(): { readonly name: string; readonly options: object } }): unknown;
}

export type Rule = (tree: Tree, context: Context) => void;

/** Installs what package.json names, with the package manager of the project: `NodePackageInstallTask` of the devkit. */
export const INSTALL = {
  toConfiguration: () => ({
    name: 'node-package',
    options: { command: 'install', quiet: true, hideOutput: true, workingDirectory: '.' },
  }),
};

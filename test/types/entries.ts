import { join } from 'node:path';
import ts from 'typescript';
import { compilerOptions } from '../docs/compile-code.js';
import { ROOT } from '../docs/pages.js';

const SOURCES = join(ROOT, 'libs/grpc-lb/src');

/** What users see of one entry of the package. */
export interface Entry {
  /** As it is imported, `nestjs-grpc-lb/server`. */
  readonly name: string;
  /** The names that a user imports, without those of other packages. */
  readonly names: readonly string[];
  /** Declarations of the package that it exports, by their own names. */
  readonly exported: ReadonlySet<string>;
  /** Types that an exported declaration names and that the entry does not export. */
  readonly unexported: readonly string[];
  /** Exports, and members of exported classes and interfaces, without a doc comment. */
  readonly undocumented: readonly string[];
}

/** Reads the declarations that the compiler writes for the sources: they have all types, also inferred ones. */
export function readEntries(exports: Readonly<Record<string, string>>): Entry[] {
  const options: ts.CompilerOptions = {
    ...compilerOptions(),
    noEmit: false,
    emitDeclarationOnly: true,
    declaration: true,
    stripInternal: true,
    skipLibCheck: true,
    rootDir: SOURCES,
    outDir: SOURCES,
  };
  const sources = Object.values(exports).map((path) => join(SOURCES, path));
  const declarations = new Map<string, string>();
  ts.createProgram(sources, options).emit(
    undefined,
    (path, text) => void declarations.set(path, text),
    undefined,
    true,
  );
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  // The declarations lie where the sources are, and take their place.
  host.fileExists = (path) =>
    declarations.has(path) || (!declarations.has(path.replace(/\.ts$/, '.d.ts')) && fileExists.call(host, path));
  host.readFile = (path) => declarations.get(path) ?? readFile.call(host, path);
  host.getSourceFile = (path, version, ...rest) => {
    const text = declarations.get(path);
    return text === undefined
      ? getSourceFile.call(host, path, version, ...rest)
      : ts.createSourceFile(path, text, version, true);
  };
  const entries = sources.map((path) => path.replace(/\.ts$/, '.d.ts'));
  const program = ts.createProgram(entries, options, host);
  return Object.keys(exports).map((name, i) => new Reader(program, declarations).read(name, entries[i]!));
}

class Reader {
  readonly #checker: ts.TypeChecker;

  constructor(
    private readonly program: ts.Program,
    private readonly declarations: ReadonlyMap<string, string>,
  ) {
    this.#checker = program.getTypeChecker();
  }

  read(name: string, path: string): Entry {
    const module = this.#checker.getSymbolAtLocation(this.program.getSourceFile(path)!)!;
    const exported = new Set(this.#checker.getExportsOfModule(module).map((each) => this.#resolved(each)));
    const reached = new Set<ts.Symbol>(exported);
    const undocumented = new Set<string>();
    for (const symbol of reached) {
      for (const declaration of symbol.declarations ?? []) {
        this.#visit(declaration, (found) => {
          if (this.#isOurs(found)) reached.add(found);
        });
      }
    }
    for (const symbol of exported) {
      if (!this.#isOurs(symbol)) continue;
      if (!this.#isDocumented(symbol)) undocumented.add(symbol.name);
      for (const member of this.#membersOf(symbol)) {
        if (!this.#isDocumented(member)) undocumented.add(`${symbol.name}.${member.name}`);
      }
    }
    // A constant used only with `typeof`, as a list of union members, is not a type.
    const missing = [...reached].filter((symbol) => symbol.flags & ts.SymbolFlags.Type && !exported.has(symbol));
    const unexported = missing.map((symbol) => symbol.name);
    return {
      name,
      names: this.#checker
        .getExportsOfModule(module)
        .filter((symbol) => this.#isOurs(this.#resolved(symbol)))
        .map((symbol) => symbol.name),
      exported: new Set([...exported].map((symbol) => symbol.name)),
      unexported: unexported.toSorted(),
      undocumented: [...undocumented].toSorted(),
    };
  }

  #visit(node: ts.Node, found: (symbol: ts.Symbol) => void): void {
    const name = ts.isTypeReferenceNode(node)
      ? node.typeName
      : ts.isExpressionWithTypeArguments(node)
        ? node.expression
        : ts.isTypeQueryNode(node)
          ? node.exprName
          : ts.isImportTypeNode(node)
            ? node.qualifier
            : undefined;
    const symbol = name && this.#checker.getSymbolAtLocation(name);
    if (symbol) found(this.#resolved(symbol));
    ts.forEachChild(node, (child) => this.#visit(child, found));
  }

  #resolved(symbol: ts.Symbol): ts.Symbol {
    return symbol.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol;
  }

  /** A named declaration of this package, as opposed to a type parameter or what another package declares. */
  #isOurs(symbol: ts.Symbol): boolean {
    if (symbol.flags & ts.SymbolFlags.TypeParameter) return false;
    return symbol.declarations?.some((each) => this.declarations.has(each.getSourceFile().fileName)) ?? false;
  }

  #isDocumented(symbol: ts.Symbol): boolean {
    return ts.displayPartsToString(symbol.getDocumentationComment(this.#checker)).trim() !== '';
  }

  #membersOf(symbol: ts.Symbol): ts.Symbol[] {
    const declared = [...(symbol.members?.values() ?? []), ...(symbol.exports?.values() ?? [])];
    const named = ts.SymbolFlags.Property | ts.SymbolFlags.Method | ts.SymbolFlags.Accessor;
    return declared.filter(
      (member) =>
        member.flags & named &&
        member.name !== 'prototype' &&
        !member.name.startsWith('__') &&
        !member.declarations?.some(isPrivate),
    );
  }
}

function isPrivate(declaration: ts.Declaration): boolean {
  const name = ts.getNameOfDeclaration(declaration);
  const isHidden = name !== undefined && ts.isPrivateIdentifier(name);
  return isHidden || (ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Private) !== 0;
}

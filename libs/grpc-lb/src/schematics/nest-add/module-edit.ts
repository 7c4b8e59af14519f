import type ts from 'typescript';
import { Refusal } from './refusal.js';
import { parse, type TypeScript } from './typescript.js';

/** What a module gets. */
export interface Addition {
  /** File of the module, for messages. */
  readonly path: string;
  /** The class of the client. */
  readonly client: string;
  /** Where the client is, from the module. */
  readonly from: string;
  /** False if `forRoot` is in another module. */
  readonly withRoot: boolean;
}

/** The text of a module with the client in its imports. The same text if it has it already. */
export function addToModule(typescript: TypeScript, text: string, addition: Addition): string {
  const imports = importsOf(typescript, text, addition);
  const elements = [...(imports.array?.elements ?? [])];
  const isCall = (method: string) => (element: ts.Expression) =>
    element.getText().replaceAll(/\s/g, '').startsWith(`GrpcLbModule.${method}`);
  const features = elements.filter(isCall('forFeature'));
  const hasClient = features.some((each) => new RegExp(`\\b${addition.client}\\b`).test(each.getText()));
  const added = [
    ...(addition.withRoot && !elements.some(isCall('forRoot')) ? ['GrpcLbModule.forRoot()'] : []),
    ...(hasClient ? [] : [`GrpcLbModule.forFeature([${addition.client}])`]),
  ];
  if (added.length === 0) return text;
  const edited = imports.insert(added);
  return [
    ['GrpcLbModule', 'nestjs-grpc-lb'],
    [addition.client, addition.from],
  ].reduce((before, [name, from]) => addImport(typescript, before, name!, from!), edited);
}

interface Imports {
  readonly array?: ts.ArrayLiteralExpression;
  insert(elements: readonly string[]): string;
}

/** The `imports` of the module in the text, which it may not have yet. */
function importsOf(typescript: TypeScript, text: string, { path, client }: Addition): Imports {
  const byHand = `add GrpcLbModule.forRoot() and GrpcLbModule.forFeature([${client}]) by hand.`;
  const decorators = parse(typescript, text)
    .statements.filter(typescript.isClassDeclaration)
    .flatMap((each) => typescript.getDecorators(each) ?? [])
    .map(({ expression }) => expression)
    .filter(typescript.isCallExpression)
    .filter(({ expression }) => expression.getText() === 'Module');
  const [decorator] = decorators;
  if (!decorator || decorators.length > 1)
    throw new Refusal(`${path} has ${decorators.length} classes with @Module(), and must have one: ${byHand}`);
  const splice = (at: number, inserted: string): string => text.slice(0, at) + inserted + text.slice(at);
  const metadata = decorator.arguments[0];
  if (!metadata) return { insert: (added) => splice(decorator.getEnd() - 1, `{ imports: [${added.join(', ')}] }`) };
  if (!typescript.isObjectLiteralExpression(metadata))
    throw new Refusal(`The argument of @Module() in ${path} is not an object literal: ${byHand}`);
  const property = metadata.properties.find((each) => each.name?.getText().replaceAll(/['"]/g, '') === 'imports');
  if (!property) {
    const first = metadata.properties[0];
    if (!first) return { insert: (added) => splice(metadata.getStart() + 1, ` imports: [${added.join(', ')}] `) };
    const between = text.slice(metadata.getStart() + 1, first.getStart());
    return { insert: (added) => splice(first.getStart(), `imports: [${added.join(', ')}],${between || ' '}`) };
  }
  const array = typescript.isPropertyAssignment(property) ? property.initializer : undefined;
  if (!array || !typescript.isArrayLiteralExpression(array))
    throw new Refusal(`"imports" of @Module() in ${path} is not an array literal: ${byHand}`);
  const last = array.elements.at(-1);
  if (!last) return { array, insert: (added) => splice(array.getStart() + 1, added.join(', ')) };
  // As the last element follows the one before it, on the same line or on one of its own.
  const lead = /\s*$/.exec(text.slice(0, last.getStart()))![0];
  const separator = `,${lead.includes('\n') ? lead : ' '}`;
  return { array, insert: (added) => splice(last.getEnd(), added.map((each) => separator + each).join('')) };
}

/** Imports a name, in the style of the imports that are there. */
function addImport(typescript: TypeScript, text: string, name: string, from: string): string {
  const imports = parse(typescript, text).statements.filter(typescript.isImportDeclaration);
  const isThere = imports.some(
    ({ importClause, moduleSpecifier }) =>
      moduleSpecifier.getText().slice(1, -1) === from &&
      new RegExp(`\\b${name}\\b`).test(importClause?.getText() ?? ''),
  );
  if (isThere) return text;
  const last = imports.at(-1);
  const quote = last?.moduleSpecifier.getText()[0] ?? "'";
  const line = `import { ${name} } from ${quote}${from}${quote}${last && !last.getText().endsWith(';') ? '' : ';'}`;
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  if (!last) return `${line}${newline}${newline}${text}`;
  return `${text.slice(0, last.getEnd())}${newline}${line}${text.slice(last.getEnd())}`;
}

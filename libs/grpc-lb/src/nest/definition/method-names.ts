/** What the names of a method are read from: grpc-js's definition, and the name in generated code. */
export interface NamedMethod {
  readonly path: string;
  readonly originalName?: string | undefined;
  readonly localName?: string;
}

/** The name of a method in the proto file. */
export function protoName({ path }: Pick<NamedMethod, 'path'>): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/**
 * All names of a method on a client: that of its definition, lower camel case as in Nest, and that of the proto file.
 * The first is the one that its types have.
 */
export function methodNames(method: NamedMethod): readonly string[] {
  const inProto = protoName(method);
  const camel = camelCase(inProto);
  return [...new Set([method.localName ?? method.originalName ?? camel, method.originalName ?? camel, camel, inProto])];
}

/** As lodash's `camelCase`, by which proto-loader and Nest name methods: `GetByID` becomes `getById`. */
export function camelCase(name: string): string {
  const words = name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+/g) ?? [name];
  return words
    .map((word, i) => (i === 0 ? word.toLowerCase() : `${word[0]!.toUpperCase()}${word.slice(1).toLowerCase()}`))
    .join('');
}

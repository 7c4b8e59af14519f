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

/** What `await`, and Nest on its providers, calls on any object that has it. */
const CALLED_BY_OTHERS: ReadonlySet<string> = new Set([
  'then',
  'onModuleInit',
  'onApplicationBootstrap',
  'onModuleDestroy',
  'beforeApplicationShutdown',
  'onApplicationShutdown',
]);

/** Whether a client cannot have a method of this name, because others than its user would call it. */
export function isCalledByOthers(name: string): boolean {
  return CALLED_BY_OTHERS.has(name);
}

/**
 * All names of a method on a client: that of its definition, lower camel case as in Nest, and that of the proto file.
 * The first is the one that its types have. A name that others call begins with a capital letter instead: `Then`.
 */
export function methodNames(method: NamedMethod): readonly string[] {
  const inProto = protoName(method);
  const camel = camelCase(inProto);
  const names = [method.localName ?? method.originalName ?? camel, method.originalName ?? camel, camel, inProto];
  return [...new Set(names.map((name) => (isCalledByOthers(name) ? capitalized(name) : name)))];
}

/** As lodash's `camelCase`, by which proto-loader and Nest name methods: `GetByID` becomes `getById`. */
export function camelCase(name: string): string {
  const words = name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+/g) ?? [name];
  return words.map((word, i) => (i === 0 ? word.toLowerCase() : capitalized(word.toLowerCase()))).join('');
}

function capitalized(word: string): string {
  return `${word[0]!.toUpperCase()}${word.slice(1)}`;
}

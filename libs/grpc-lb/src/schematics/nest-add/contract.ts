import { createRequire } from 'node:module';
import { join } from 'node:path';
import { isTaken, type Names, SAMPLE_REQUEST } from './names.js';
import { Refusal } from './refusal.js';

/** A service, as the class of its client declares it. */
export interface Contract {
  readonly package: string;
  readonly service: string;
  /** Methods of the interface of the service. */
  readonly methods: readonly string[];
  /** Interfaces of the messages. */
  readonly messages: readonly string[];
  /** Options of the loader that the types need. */
  readonly loader: readonly string[];
}

/** The contract that is written for those who have none yet: that of docs/guide/getting-started.md. */
export const sampleContract = (names: Names): Contract => ({
  package: `${names.snake}.v1`,
  service: names.pascal,
  methods: [`find(request: ${SAMPLE_REQUEST}): Observable<${messageOf(names)}>;`],
  messages: [
    `export interface ${SAMPLE_REQUEST} {\n  id: string;\n}`,
    `export interface ${messageOf(names)} {\n  id: string;\n  servedBy: string;\n}`,
  ],
  loader: [],
});

export const sampleProto = (names: Names): string => `syntax = "proto3";

package ${names.snake}.v1;

service ${names.pascal} {
  rpc Find(${SAMPLE_REQUEST}) returns (${messageOf(names)});
}

message ${SAMPLE_REQUEST} {
  string id = 1;
}

message ${messageOf(names)} {
  string id = 1;
  string served_by = 2;
}
`;

/** `Orders` has an `Order`, and `Stock` a `StockReply`. */
function messageOf({ pascal }: Names): string {
  const [, one] = /^(.*[^su])s$/i.exec(pascal) ?? [];
  return one === undefined || isTaken(one) || one === SAMPLE_REQUEST ? `${pascal}Reply` : one;
}

// What of protobufjs is used here; proto-loader brings it.
interface Parsed {
  readonly package: string | undefined;
  readonly root: Node;
}
interface Node {
  readonly name: string;
  readonly fullName: string;
  readonly parent: Node | null;
  readonly nestedArray?: readonly Node[];
  readonly methodsArray?: readonly Method[];
  readonly fieldsArray?: readonly Field[];
  readonly values?: Readonly<Record<string, number>>;
  lookup(path: string): Node | null;
}
interface Method {
  readonly name: string;
  readonly requestType: string;
  readonly responseType: string;
  readonly requestStream?: boolean;
  readonly responseStream?: boolean;
}
interface Field {
  readonly name: string;
  readonly type: string;
  readonly repeated: boolean;
  /** Of the keys of a map. */
  readonly keyType?: string;
}

/** Reads a service and its messages from a proto file, with the parser that proto-loader uses. */
export function readContract(path: string, text: string, service: string | undefined): Contract {
  const parsed = parseProto(path, text);
  const scope = parsed.package === undefined ? parsed.root : parsed.root.lookup(parsed.package);
  const services = (scope?.nestedArray ?? []).filter((node) => node.methodsArray !== undefined);
  const names = services.map(({ name }) => name).join(', ');
  if (parsed.package === undefined) throw new Refusal(`${path} has no package, and clients need one: add it.`);
  const found = service === undefined ? services : services.filter(({ name }) => name === service);
  if (found.length !== 1)
    throw new Refusal(
      services.length === 0
        ? `${path} has no service.`
        : `${path} has the services ${names}: name one with --service${service === undefined ? '' : `, "${service}" is not there`}.`,
    );
  return new Reader(found[0]!).read(parsed.package);
}

function parseProto(path: string, text: string): Parsed {
  let library: { parse(text: string, options: object): Parsed };
  try {
    const load = createRequire(join(process.cwd(), 'package.json'));
    library = createRequire(load.resolve('@grpc/proto-loader'))('protobufjs') as typeof library;
  } catch {
    throw new Refusal('--proto needs @grpc/proto-loader: run `npm install @grpc/proto-loader`, and this again.');
  }
  try {
    return library.parse(text, { keepCase: false });
  } catch (error) {
    throw new Refusal(`${path} is not a proto file: ${(error as Error).message}`);
  }
}

const SCALARS: ReadonlyMap<string, string> = new Map([
  ...['double', 'float', 'int32', 'uint32', 'sint32', 'fixed32', 'sfixed32'].map((type) => [type, 'number'] as const),
  ...['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64'].map((type) => [type, 'int64'] as const),
  ['bool', 'boolean'],
  ['string', 'string'],
  ['bytes', 'Uint8Array'],
]);

const lowerFirst = (name: string): string => name[0]!.toLowerCase() + name.slice(1);

class Reader {
  /** By the name of the interface. */
  readonly #messages = new Map<string, string>();
  readonly #loader = new Set<string>();

  constructor(private readonly service: Node) {}

  read(packageName: string): Contract {
    const methods = this.service.methodsArray!.map((method) => {
      const request = this.#typeOf(this.service, method.requestType);
      const argument = method.requestStream ? `requests: Observable<${request}>` : `request: ${request}`;
      return `${lowerFirst(method.name)}(${argument}): Observable<${this.#typeOf(this.service, method.responseType)}>;`;
    });
    return {
      package: packageName,
      service: this.service.name,
      methods,
      messages: [...this.#messages.values()],
      loader: [...this.#loader],
    };
  }

  /** The type of a message or a field as proto-loader makes it. */
  #typeOf(from: Node, name: string): string {
    const scalar = SCALARS.get(name);
    if (scalar === 'int64') {
      this.#loader.add('longs: String');
      return 'string';
    }
    if (scalar !== undefined) return scalar;
    const found = from.lookup(name);
    if (found?.values) {
      this.#loader.add('enums: String');
      return Object.keys(found.values).map(quotedName).join(' | ');
    }
    // Of another file, or a well-known type.
    return found?.fieldsArray ? this.#message(found, found.fieldsArray) : 'unknown';
  }

  #message(node: Node, fields: readonly Field[]): string {
    const name = interfaceName(node, this.service);
    if (this.#messages.has(name)) return name;
    this.#messages.set(name, '');
    const members = fields.map((field) => {
      const type = this.#typeOf(node, field.type);
      const whole = field.keyType
        ? `Record<string, ${type}>`
        : field.repeated
          ? `${type.includes('|') ? `(${type})` : type}[]`
          : type;
      return `  ${field.name}?: ${whole};\n`;
    });
    this.#messages.set(name, `export interface ${name} {\n${members.join('')}}`);
    return name;
  }
}

const quotedName = (name: string): string => `'${name}'`;

/** The name of a message with those of the messages around it: `Outer.Inner` is `OuterInner`. */
function interfaceName(node: Node, service: Node): string {
  const names: string[] = [];
  for (let at: Node | null = node; at && at !== service.parent; at = at.parent) names.unshift(at.name);
  const joined = names.join('');
  return joined === service.name || isTaken(joined) ? `${joined}Message` : joined;
}

import { Refusal } from './refusal.js';

/** The names of a client, derived from one: `order-items`. */
export interface Names {
  /** In file names: `order-items`. */
  readonly kebab: string;
  /** In packages of proto files: `order_items`. */
  readonly snake: string;
  /** Of classes: `OrderItems`. */
  readonly pascal: string;
}

/** What the files of a client import or declare besides. */
const TAKEN: ReadonlySet<string> = new Set([
  'GrpcLbClient',
  'GrpcService',
  'Long',
  'Observable',
  'Record',
  'Uint8Array',
]);

/** Whether the file of a client has that name for something else. */
export const isTaken = (name: string): boolean => TAKEN.has(name);

/** The request of the contract that is written; a proto file of the project may well have one of that name. */
export const SAMPLE_REQUEST = 'FindRequest';

export function namesOf(name: string): Names {
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(name))
    throw new Refusal(
      `--name "${name.slice(0, 80)}" must begin with a letter, and have only letters, digits, "-" and "_", at most 64.`,
    );
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .split(/[-_]+/)
    .filter((word) => word !== '');
  const pascal = words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
  if (isTaken(pascal) || pascal === SAMPLE_REQUEST)
    throw new Refusal(`--name "${name}" would declare ${pascal}, which the client needs itself.`);
  return { kebab: words.join('-'), snake: words.join('_'), pascal };
}

/** A literal of TypeScript. */
export const quoted = (text: string): string =>
  `'${JSON.stringify(text)
    .slice(1, -1)
    .replaceAll(String.raw`\"`, '"')
    .replaceAll("'", String.raw`\'`)}'`;

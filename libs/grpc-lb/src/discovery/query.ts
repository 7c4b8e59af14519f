import type { Fault } from '../core/errors.js';
import { shown, unknownOption } from '../core/options/validation.js';

/** The parameters that a scheme knows, and whether each may be repeated. */
export type QueryShape<Name extends string> = Readonly<Record<Name, 'once' | 'many'>>;

export interface TargetQuery<Name extends string> {
  /** The part before the `?`, decoded. */
  readonly path: string;
  /** In the order of the target; empty for a parameter that is not given. */
  readonly parameters: Readonly<Record<Name, readonly string[]>>;
}

/**
 * Parses the path of a target: `orders?tag=v2&dc=eu`. Escapes are those of URIs (RFC 3986), so a `+`, as in a version,
 * is a plus. Faults are added to `faults`.
 */
export function readQuery<Name extends string>(
  text: string,
  shape: QueryShape<Name>,
  faults: Fault[],
): TargetQuery<Name> {
  const mark = text.indexOf('?');
  const names = Object.keys(shape) as Name[];
  const parameters = {} as Record<Name, string[]>;
  for (const name of names) parameters[name] = [];
  for (const part of mark < 0 ? [] : text.slice(mark + 1).split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = decoded(equals < 0 ? part : part.slice(0, equals), 'query', faults);
    const value = equals < 0 ? '' : decoded(part.slice(equals + 1), `query ${name}`, faults);
    const values = Object.hasOwn(parameters, name) ? parameters[name as Name] : undefined;
    if (!values) faults.push(unknownOption(`query ${shown(name)}`, name, names));
    else if (value === '') faults.push({ path: `query ${name}`, message: `is empty; write ${name}=..., or remove it` });
    else if (values.length > 0 && shape[name as Name] === 'once')
      faults.push({ path: `query ${name}`, message: 'is repeated; keep one' });
    else values.push(value);
  }
  return { path: decoded(mark < 0 ? text : text.slice(0, mark), 'path', faults), parameters };
}

function decoded(text: string, path: string, faults: Fault[]): string {
  try {
    return decodeURIComponent(text);
  } catch {
    faults.push({
      path,
      message: `is ${shown(text)}, with a "%" that starts no escape; write %25 for a percent sign`,
    });
    return text;
  }
}

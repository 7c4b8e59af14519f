/** Errors name what the operator wrote: the environment variable, not the option that was derived from it. */
const variables = new WeakMap<object, string>();

/** Remembers that the targets of these overrides were read from `variable`. */
export function rememberVariable(overrides: object, variable: string): void {
  variables.set(overrides, variable);
}

/** The path that an error shows for a target (`target`, `targets[1]`) from the overrides of a client. */
export function overridePath(overrides: object, client: string, path: string): string {
  return variables.get(overrides) ?? `overrides.${client}.${path}`;
}

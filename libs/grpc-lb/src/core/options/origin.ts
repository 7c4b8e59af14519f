/** What an operator reads in an error is what he wrote: the variable, not the option that it was turned into. */
const variables = new WeakMap<object, string>();

/** The targets of these overrides were read from that variable. */
export function rememberVariable(overrides: object, variable: string): void {
  variables.set(overrides, variable);
}

/** The path in an error of a target (`target`, `targets[1]`) that came from the overrides of a client. */
export function overridePath(overrides: object, client: string, path: string): string {
  return variables.get(overrides) ?? `overrides.${client}.${path}`;
}

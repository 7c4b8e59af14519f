/** The entry of one method, which may be called `constructor`. */
export function ofMethod<T>(methods: Readonly<Record<string, T>> | undefined, method: string): T | undefined {
  return methods !== undefined && Object.hasOwn(methods, method) ? methods[method] : undefined;
}

import type { PackageDefinition } from '@grpc/proto-loader';

/** The services of the packages that Nest serves; imported services are not served. */
export function serviceNames(loaded: PackageDefinition, packages: readonly string[]): string[] {
  return Object.entries(loaded)
    .filter(([, definition]) => !('format' in definition))
    .map(([name]) => name)
    .filter((name) => packages.some((pkg) => pkg === '' || name.startsWith(`${pkg}.`)));
}

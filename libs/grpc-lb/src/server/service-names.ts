import type { PackageDefinition } from '@grpc/proto-loader';

/** The services of the packages that Nest serves; imported services are not served. */
export function serviceNames(loaded: PackageDefinition, packages: readonly string[]): string[] {
  return Object.entries(loaded)
    .filter(([, definition]) => !('format' in definition))
    .map(([name]) => name)
    .filter((name) => packages.some((pkg) => pkg === '' || name.startsWith(`${pkg}.`)));
}

const OWN = /^\/(grpc\.health\.|grpc\.reflection\.|xds\.service\.orca\.)/;

/** Whether a method belongs to a service about the server itself: health, reflection or load reports. */
export function isOwnService(path: string): boolean {
  return OWN.test(path);
}

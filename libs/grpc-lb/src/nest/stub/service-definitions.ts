import { isAbsolute } from 'node:path';
import { type GrpcObject, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import type { Fault } from '../../core/errors.js';
import { didYouMean, shown } from '../../core/options/validation.js';
import type { GrpcLbClientOptions } from '../client-options.js';
import { protoLoaderOf } from './proto-loader.js';

/** The services of a client's packages, by name; faults are added to `faults`. */
export function loadServices(
  options: GrpcLbClientOptions,
  faults: Fault[],
): ReadonlyMap<string, ServiceClientConstructor> {
  const root = loadRoot(options, faults);
  const services = new Map<string, ServiceClientConstructor>();
  if (!root) return services;
  const before = faults.length;
  // Another check has reported names that are not strings.
  const names = [options.package].flat().filter((name) => typeof name === 'string');
  for (const name of names) {
    const found = lookUp(root, name);
    if (!found) {
      const known = packagesOf(root);
      faults.push({
        path: 'package',
        message: `is ${shown(name)}, which the proto files do not define${didYouMean(name, known)}; they define ${known.join(', ') || 'no package'}`,
      });
      continue;
    }
    // As in Nest, the first of two packages with a service of the same name wins.
    for (const [key, value] of Object.entries(found)) {
      if (isService(value) && !services.has(key)) services.set(key, value);
    }
  }
  if (services.size === 0 && names.length > 0 && faults.length === before) {
    faults.push({
      path: 'package',
      message: `is ${shown(options.package)}, which has no service; use one of ${packagesOf(root).join(', ') || 'no package'}`,
    });
  }
  return services;
}

function loadRoot(options: GrpcLbClientOptions, faults: Fault[]): GrpcObject | undefined {
  const { protoPath, loader, protoLoader } = options;
  const packageDefinition: unknown = options.packageDefinition;
  if ((protoPath === undefined) === (packageDefinition === undefined)) {
    const found = protoPath === undefined ? 'is missing' : 'is set together with packageDefinition';
    faults.push({ path: 'protoPath', message: `${found}; set either protoPath (a proto file) or packageDefinition` });
    return undefined;
  }
  if (packageDefinition !== undefined) {
    const remedy = 'pass what loadSync() of @grpc/proto-loader returns';
    return attempt('packageDefinition', remedy, faults, () =>
      loadPackageDefinition(packageDefinition as PackageDefinition),
    );
  }
  const install = `install ${shown(protoLoader)}, or remove the option to use @grpc/proto-loader`;
  const proto = attempt('protoLoader', install, faults, () => protoLoaderOf(protoLoader));
  const load = (): GrpcObject => loadPackageDefinition(proto!.loadSync(protoPath!, loader));
  return proto && attempt('protoPath', (error) => protoRemedy(error, protoPath!, loader), faults, load);
}

function attempt<T>(
  path: string,
  remedy: string | ((error: Error) => string),
  faults: Fault[],
  load: () => T,
): T | undefined {
  try {
    return load();
  } catch (error) {
    const [why] = (error as Error).message.split('\n');
    const todo = typeof remedy === 'string' ? remedy : remedy(error as Error);
    faults.push({ path, message: `cannot be loaded: ${why}; ${todo}` });
    return undefined;
  }
}

/** A file that is missing is either one of `protoPath`, or one that such a file imports. */
function protoRemedy(error: Error, protoPath: string | string[], loader: GrpcLbClientOptions['loader']): string {
  const { code, path } = error as NodeJS.ErrnoException;
  const own = [protoPath].flat();
  if (code !== 'ENOENT' || path === undefined) return `check the file ${shown(protoPath)}`;
  if (!own.some((each) => path.endsWith(each))) {
    const dirs = loader?.includeDirs;
    return `${shown(protoPath)} imports it: list the folder in which the path of the import begins in loader.includeDirs, which is ${shown(dirs ?? [])}`;
  }
  if (isAbsolute(path)) return 'check the path, and that the build copies proto files (assets in nest-cli.json)';
  return `a relative path starts at the working directory, ${process.cwd()}; start the application elsewhere, or write the whole path`;
}

function lookUp(root: GrpcObject, name: string): GrpcObject | undefined {
  let found: unknown = root;
  for (const part of name === '' ? [] : name.split('.')) {
    found =
      typeof found === 'object' && found !== null && Object.hasOwn(found, part)
        ? (found as GrpcObject)[part]
        : undefined;
  }
  return found as GrpcObject | undefined;
}

function isService(value: unknown): value is ServiceClientConstructor {
  return typeof value === 'function' && 'service' in value;
}

function packagesOf(object: GrpcObject, prefix = ''): string[] {
  const names = Object.values(object).some(isService) ? [prefix] : [];
  for (const [key, value] of Object.entries(object)) {
    if (typeof value === 'object' && !('format' in value))
      names.push(...packagesOf(value, prefix ? `${prefix}.${key}` : key));
  }
  return names;
}

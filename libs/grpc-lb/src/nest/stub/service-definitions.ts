import { isAbsolute } from 'node:path';
import {
  type GrpcObject,
  loadPackageDefinition,
  makeClientConstructor,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import { type Fault, GrpcLbPeerError } from '../../core/errors.js';
import { didYouMean, shown } from '../../core/options/validation.js';
import type { GrpcLbClientOptions } from '../client-options.js';
import { esRuntime } from '../definition/es-codec.js';
import { protoName } from '../definition/method-names.js';
import { isEsDefinition, readDefinition } from '../definition/read-definition.js';
import type { LazyPeer } from '../../peers/lazy-peer.js';
import { protoLoader as defaultLoader, protoLoaderOf } from './proto-loader.js';

/** Where the services of a client come from. */
export type ServiceOptions = Partial<
  Pick<GrpcLbClientOptions, 'definition' | 'loader' | 'package' | 'packageDefinition' | 'protoLoader' | 'protoPath'>
>;

/** The optional packages that the services of a client need, and that are not loaded yet. */
export function peersFor({ definition, protoPath, protoLoader }: ServiceOptions): readonly LazyPeer<unknown>[] {
  const needed: LazyPeer<unknown>[] = [];
  if (protoPath !== undefined && (protoLoader ?? defaultLoader.name) === defaultLoader.name) needed.push(defaultLoader);
  if ([definition].flat().some(isEsDefinition)) needed.push(esRuntime);
  return needed.filter(({ isLoaded }) => !isLoaded);
}

/**
 * The services of a client, by name; faults are added to `faults`.
 *
 * @param subject For errors, as in `client ORDERS`.
 * @throws GrpcLbPeerError if a package that they need is not installed.
 */
export function loadServices(
  subject: string,
  options: ServiceOptions,
  faults: Fault[],
): ReadonlyMap<string, ServiceClientConstructor> {
  return isDefined(options) ? definedServices(subject, options, faults) : packagedServices(subject, options, faults);
}

/** Options of a factory may have the key without a value. */
export function isDefined(options: ServiceOptions): boolean {
  if (options.definition !== undefined) return true;
  const isProto = OF_PROTO.some((key) => options[key] !== undefined);
  return 'definition' in options && !isProto;
}

const OF_PROTO = ['package', 'protoPath', 'packageDefinition', 'protoLoader', 'loader'] as const;

function definedServices(
  subject: string,
  options: ServiceOptions,
  faults: Fault[],
): ReadonlyMap<string, ServiceClientConstructor> {
  for (const key of OF_PROTO.filter((each) => options[each] !== undefined))
    faults.push({ path: key, message: 'is set together with definition, which says it all; remove it' });
  const services = new Map<string, ServiceClientConstructor>();
  const isList = Array.isArray(options.definition);
  const list: readonly unknown[] = isList ? options.definition : [options.definition];
  if (list.length === 0) faults.push({ path: 'definition', message: 'is an empty list; set one service or several' });
  for (const [i, definition] of list.entries()) {
    const path = isList ? `definition[${i}]` : 'definition';
    const service = readDefinition(subject, path, definition, faults);
    if (!service) continue;
    if (services.has(service.name))
      faults.push({ path, message: `is the second service named ${service.name}; declare a client of its own for it` });
    const methods = Object.fromEntries(
      service.methods.map((method) => [
        protoName(method),
        { ...method, originalName: method.originalName ?? method.localName },
      ]),
    );
    services.set(service.name, makeClientConstructor(methods, service.fullName));
  }
  return services;
}

/** Those of the packages of proto files. */
function packagedServices(
  subject: string,
  options: ServiceOptions,
  faults: Fault[],
): ReadonlyMap<string, ServiceClientConstructor> {
  const root = loadRoot(subject, options, faults);
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

function loadRoot(subject: string, options: ServiceOptions, faults: Fault[]): GrpcObject | undefined {
  const { protoPath, loader, protoLoader } = options;
  const packageDefinition: unknown = options.packageDefinition;
  if ((protoPath === undefined) === (packageDefinition === undefined)) {
    const message =
      protoPath === undefined
        ? 'is missing; set one of protoPath (a proto file), packageDefinition, and definition (a service of generated code)'
        : 'is set together with packageDefinition; set either protoPath (a proto file) or packageDefinition';
    faults.push({ path: 'protoPath', message });
    return undefined;
  }
  if (packageDefinition !== undefined) {
    const remedy = 'pass what loadSync() of @grpc/proto-loader returns';
    return attempt('packageDefinition', remedy, faults, () =>
      loadPackageDefinition(packageDefinition as PackageDefinition),
    );
  }
  const install = `install ${shown(protoLoader)}, or remove the option to use @grpc/proto-loader`;
  const proto = attempt('protoLoader', install, faults, () => protoLoaderOf(`${subject}: protoPath`, protoLoader));
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
    if (error instanceof GrpcLbPeerError) throw error;
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

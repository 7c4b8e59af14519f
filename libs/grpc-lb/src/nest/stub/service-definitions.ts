import { createRequire } from 'node:module';
import { type GrpcObject, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import { didYouMean, type Fault, shown } from '../../core/options/validation.js';
import type { GrpcLbClientOptions } from '../client-options.js';

interface ProtoLoader {
  loadSync(protoPath: string | string[], options?: object): PackageDefinition;
}

/** The services of a client's packages, by name; what is wrong is added to `faults`. */
export function loadServices(options: GrpcLbClientOptions, faults: Fault[]): ReadonlyMap<string, ServiceClientConstructor> {
  const root = loadRoot(options, faults);
  const services = new Map<string, ServiceClientConstructor>();
  if (!root) return services;
  for (const name of [options.package].flat()) {
    const found = lookUp(root, name);
    if (!found) {
      const known = packagesOf(root);
      faults.push({ path: 'package', message: `is ${shown(name)}, which the proto files do not define${didYouMean(name, known)}; they define ${known.join(', ') || 'no package'}` });
      continue;
    }
    // As in Nest, of two packages with a service of the same name the first counts.
    for (const [key, value] of Object.entries(found)) {
      if (isService(value) && !services.has(key)) services.set(key, value);
    }
  }
  return services;
}

function loadRoot(options: GrpcLbClientOptions, faults: Fault[]): GrpcObject | undefined {
  const { protoPath, packageDefinition, loader, protoLoader = '@grpc/proto-loader' } = options;
  if ((protoPath === undefined) === (packageDefinition === undefined)) {
    const found = protoPath === undefined ? 'is missing' : 'stands beside packageDefinition';
    faults.push({ path: 'protoPath', message: `${found}; give either protoPath (a proto file) or packageDefinition` });
    return undefined;
  }
  try {
    const definition = (packageDefinition as PackageDefinition | undefined) ?? requireLoader(protoLoader).loadSync(protoPath!, loader);
    return loadPackageDefinition(definition);
  } catch (error) {
    const path = packageDefinition ? 'packageDefinition' : 'protoPath';
    faults.push({ path, message: `cannot be loaded: ${(error as Error).message}; check the path${path === 'protoPath' ? ` ${shown(protoPath)} and loader.includeDirs` : ''}` });
    return undefined;
  }
}

/** Loaded when it is needed, as Nest does: an application may bring another loader. */
function requireLoader(name: string): ProtoLoader {
  return createRequire(import.meta.url)(name) as ProtoLoader;
}

function lookUp(root: GrpcObject, name: string): GrpcObject | undefined {
  let found: unknown = root;
  for (const part of name === '' ? [] : name.split('.')) {
    found = typeof found === 'object' && found !== null && Object.hasOwn(found, part) ? (found as GrpcObject)[part] : undefined;
  }
  return found as GrpcObject | undefined;
}

function isService(value: unknown): value is ServiceClientConstructor {
  return typeof value === 'function' && 'service' in value;
}

function packagesOf(object: GrpcObject, prefix = ''): string[] {
  const names = Object.values(object).some(isService) ? [prefix] : [];
  for (const [key, value] of Object.entries(object)) {
    if (typeof value === 'object' && !('format' in value)) names.push(...packagesOf(value as GrpcObject, prefix ? `${prefix}.${key}` : key));
  }
  return names;
}

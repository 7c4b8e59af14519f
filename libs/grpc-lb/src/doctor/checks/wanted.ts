import { resolve } from 'node:path';
import type { PackageDefinition } from '@grpc/proto-loader';
import { missingPeer } from '../../core/errors.js';
import type { Examination } from '../examination.js';
import type { EffectiveDoctorOptions } from '../options.js';

/** Methods by service, as in `orders.v1.Orders`. */
export type Wanted = ReadonlyMap<string, ReadonlySet<string>>;

/** The services and methods that the server must have, by the options and the proto files that they name. */
export async function wantedOf(
  exam: Examination,
  {
    protos,
    includeDirs,
    services,
    methods,
  }: Pick<EffectiveDoctorOptions, 'protos' | 'includeDirs' | 'services' | 'methods'>,
): Promise<Wanted> {
  const wanted = new Map<string, Set<string>>();
  const methodsOf = (service: string): Set<string> => {
    const found = wanted.get(service) ?? new Set();
    wanted.set(service, found);
    return found;
  };
  for (const service of services) methodsOf(service);
  for (const method of methods) {
    const [service = '', name = ''] = method.split('/');
    methodsOf(service).add(name);
  }
  for (const definition of Object.values(await load(exam, protos, includeDirs))) {
    // A message or an enum has a format.
    if ('format' in definition) continue;
    for (const { path } of Object.values(definition)) {
      const [, service = '', name = ''] = path.split('/');
      methodsOf(service).add(name);
    }
  }
  return wanted;
}

async function load(
  exam: Examination,
  protos: readonly string[],
  includeDirs: readonly string[] = [],
): Promise<PackageDefinition> {
  if (protos.length === 0) return {};
  try {
    const { loadSync } = await import('@grpc/proto-loader').catch((cause: unknown) => {
      throw missingPeer('the option protos', '@grpc/proto-loader', cause);
    });
    // Whole paths, and no empty list: proto-loader searches relative ones in includeDirs first, and warns of each.
    const paths = protos.map((proto) => resolve(proto));
    return loadSync(paths, includeDirs.length > 0 ? { includeDirs: [...includeDirs] } : {});
  } catch (error) {
    const evidence = `the proto files ${protos.join(', ')} cannot be loaded: ${(error as Error).message}`;
    exam.find('options', 'invalid-options', { evidence });
    return {};
  }
}

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { GrpcLbServiceDefinition } from 'nestjs-grpc-lb';
import { afterAll } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');

export const SHOP_PROTO = join(import.meta.dirname, 'shop.proto');

/** What the generators of a test write, by folder: the plugin and its options. */
export type Forms = Readonly<Record<string, readonly [plugin: 'ts_proto' | 'es', options: string]>>;

/** A generated module: services, messages, enums. */
export type Generated = Readonly<Record<string, GrpcLbServiceDefinition>>;

const COMMON = 'esModuleInterop=true,importSuffix=.js';

/** The forms of generated code that a client can call. */
export const FORMS: Forms = {
  'ts-proto, grpc-js': ['ts_proto', `outputServices=grpc-js,${COMMON}`],
  'ts-proto, generic-definitions': ['ts_proto', `outputServices=generic-definitions,${COMMON}`],
  'ts-proto, nestJs and grpc-js': ['ts_proto', `nestJs=true,outputServices=grpc-js,${COMMON}`],
  'protobuf-es': ['es', 'target=ts,import_extension=js'],
};

/**
 * Runs the real generators on shop.proto, and returns the modules that they write. Their files go when the tests of
 * the file have ended. They lie below the repository, so that generated code finds its packages, in `dist`, which git
 * ignores.
 */
export async function generate<Form extends string>(
  forms: Readonly<Record<Form, Forms[string]>>,
): Promise<Readonly<Record<Form, Generated>>> {
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  const folder = mkdtempSync(join(ROOT, 'dist/generated-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'protos'));
  cpSync(SHOP_PROTO, join(folder, 'protos/shop.proto'));
  const entries = Object.entries<Forms[string]>(forms).map(([name, form], i) => [name, form, `form-${i}`] as const);
  const plugins = entries.map(([, [plugin, options], out]) => ({
    local: join(ROOT, `node_modules/.bin/protoc-gen-${plugin}`),
    out,
    opt: options,
  }));
  writeFileSync(join(folder, 'buf.yaml'), JSON.stringify({ version: 'v2', modules: [{ path: 'protos' }] }));
  writeFileSync(join(folder, 'buf.gen.yaml'), JSON.stringify({ version: 'v2', plugins }));
  await promisify(execFile)(join(ROOT, 'node_modules/.bin/buf'), ['generate'], { cwd: folder });
  const modules = entries.map(async ([name, [plugin], out]) => {
    const file = join(folder, out, plugin === 'es' ? 'shop_pb.ts' : 'shop.ts');
    return [name, (await import(file)) as Generated] as const;
  });
  return Object.fromEntries(await Promise.all(modules)) as Record<Form, Generated>;
}

/** The service `Orders` or `Stock` of a generated module, whatever its form calls it. */
export function serviceIn(generated: Generated, name = 'Orders'): GrpcLbServiceDefinition {
  return (generated[`${name}Service`] ?? generated[`${name}Definition`] ?? generated[name])!;
}

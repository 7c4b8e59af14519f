import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { ORDER_PROTO } from './orders.js';

const ROOT = fileURLToPath(new URL('../../../../../', import.meta.url));
const FOLDER = join(ROOT, 'dist/bench/generated');

/** What is compared with proto-loader: the plugin, its options, the file and the service in it. */
export const GENERATED = {
  'grpc-js': ['ts_proto', 'outputServices=grpc-js,esModuleInterop=true,importSuffix=.js', 'order', 'OrdersService'],
  generic: ['ts_proto', 'outputServices=generic-definitions,importSuffix=.js', 'order', 'OrdersDefinition'],
  es: ['es', 'target=ts,import_extension=js', 'order_pb', 'Orders'],
} as const;

export type GeneratedForm = keyof typeof GENERATED;

/** Runs the generators, and makes modules of what they write. */
export function generateOrders(): void {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(join(FOLDER, 'protos'), { recursive: true });
  cpSync(ORDER_PROTO, join(FOLDER, 'protos/order.proto'));
  const plugins = Object.entries(GENERATED).map(([out, [plugin, opt]]) => ({
    local: join(ROOT, `node_modules/.bin/protoc-gen-${plugin}`),
    out,
    opt,
  }));
  writeFileSync(join(FOLDER, 'buf.yaml'), JSON.stringify({ version: 'v2', modules: [{ path: 'protos' }] }));
  writeFileSync(join(FOLDER, 'buf.gen.yaml'), JSON.stringify({ version: 'v2', plugins }));
  execFileSync(join(ROOT, 'node_modules/.bin/buf'), ['generate'], { cwd: FOLDER });
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  for (const name of readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const path = join(FOLDER, name);
    const { outputText } = ts.transpileModule(readFileSync(path, 'utf8'), { compilerOptions });
    writeFileSync(path.replace(/ts$/, 'js'), outputText);
  }
}

/** The generated service. */
export async function generatedService(form: GeneratedForm): Promise<unknown> {
  const [, , file, service] = GENERATED[form];
  const module = (await import(join(FOLDER, form, `${file}.js`))) as Record<string, unknown>;
  return module[service];
}

import { dirname, join } from 'node:path';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';

interface ProtoLoader {
  loadSync(protoPath: string | string[], options?: object): PackageDefinition;
}

/**
 * The default loader is a static import, so that bundlers pack it and Jest transforms it. Another loader belongs to the
 * application: it is looked up from the main script, then from the working directory. (`import.meta.url` does not
 * compile to CommonJS, and in a bundle it is the path of the bundle.)
 */
export function protoLoaderOf(name = '@grpc/proto-loader'): ProtoLoader {
  if (name === '@grpc/proto-loader') return { loadSync };
  const folder = process.cwd();
  // Not imported, because webpack would try to resolve the argument of createRequire() at build time, and warn.
  const load = process.getBuiltinModule('node:module').createRequire(join(folder, 'package.json'));
  const paths = process.argv[1] === undefined ? [folder] : [dirname(process.argv[1]), folder];
  return load(load.resolve(name, { paths })) as ProtoLoader;
}

import type { Tree } from './devkit.js';
import { type Manifest, readManifest, writeJson } from './project.js';

/** Adds what a client needs at run time to package.json. Returns whether anything was missing. */
export function addDependencies(tree: Tree, nestMajor: number): boolean {
  const manifest = readManifest(tree);
  const wanted = {
    '@grpc/grpc-js': '^1.14.0',
    '@grpc/proto-loader': '^0.8.0',
    '@nestjs/microservices': `^${nestMajor}.0.0`,
  };
  const missing = Object.entries(wanted).filter(([name]) => manifest.dependencies?.[name] === undefined);
  if (missing.length === 0) return false;
  const dependencies = { ...manifest.dependencies, ...Object.fromEntries(missing) };
  const sorted = Object.entries(dependencies).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const changed: Manifest = { ...manifest, dependencies: Object.fromEntries(sorted) };
  writeJson(tree, 'package.json', changed);
  return true;
}

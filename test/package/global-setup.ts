import { cpSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { findNodes, type NodeBinary } from './nodes.js';
import { mustRun } from './run.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Everything is built in here, outside of the workspace, so that nothing of the workspace can be found from it. */
    directory: string;
    /** The packed package. */
    tarball: string;
    /** The tarball's files, unpacked. */
    unpacked: string;
    nodes: NodeBinary[];
  }
}

const ROOT = join(import.meta.dirname, '../..');

/** Packs the library once, as `npm publish` would, and gets the versions of Node to try it with. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), 'grpc-lb-package-'));
  await mustRun('npm', ['pack', '--workspace', 'nestjs-grpc-lb', '--pack-destination', directory], ROOT, 240_000);
  const tarball = join(
    directory,
    readdirSync(directory).find((name) => name.endsWith('.tgz'))!,
  );
  const unpacked = join(directory, 'unpacked');
  mkdirSync(unpacked);
  await mustRun('tar', ['-xzf', tarball, '--strip-components=1', '-C', unpacked], directory, 120_000);
  cpSync(join(import.meta.dirname, 'fixtures'), directory, { recursive: true });

  project.provide('directory', directory);
  project.provide('tarball', tarball);
  project.provide('unpacked', unpacked);
  project.provide('nodes', await findNodes(join(directory, 'nodes')));
  // Not in one go: it takes longer than the runner waits for its workers to say that they have ended.
  return () => rm(directory, { recursive: true, force: true });
}

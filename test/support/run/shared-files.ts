import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');

/** Where the tests of single parts are, and those of pure code. */
const UNITS = ['libs/grpc-lb/src', 'apps/demo-server/src', 'apps/demo-client/src', 'deploy', 'test/properties'];

/** What they measure depends on what the process did before. */
const MEASURES = /\/cpu-time\.js'|cpuUsage\(|memoryUsage\(|FinalizationRegistry|WeakRef/;

/** They compute for many seconds each, and others would wait for the process. */
const LONG = ['test/properties/sim-'];

/** They register with grpc-js, or add listeners to the process, for good. `shared-process.ts` finds those. */
const CHANGE_PROCESS = [
  'apps/demo-client/src/health/health.controller.test.ts',
  'apps/demo-client/src/runner/child-process.test.ts',
  'libs/grpc-lb/src/grpc/channel/balanced-channel.test.ts',
  'libs/grpc-lb/src/nest/client-handle.test.ts',
  'libs/grpc-lb/src/telemetry/opentelemetry/metrics/observe-metrics.test.ts',
];

/**
 * The unit tests as two lists: those that share a process, one file after the other, and those that need one of their
 * own. Starting a process and loading what a test imports takes longer than most of these tests.
 */
export function unitTests(): { shared: string[]; apart: string[] } {
  const files = UNITS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => join(folder, name)),
  );
  const apart = new Set(
    files.filter(
      (file) =>
        [...LONG, ...CHANGE_PROCESS].some((start) => file.startsWith(start)) ||
        MEASURES.test(readFileSync(join(ROOT, file), 'utf8')),
    ),
  );
  return { shared: files.filter((file) => !apart.has(file)), apart: [...apart] };
}

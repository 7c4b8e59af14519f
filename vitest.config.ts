import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { SummaryReporter } from './test/support/run/summary-reporter.js';
import { LongFirst } from './test/support/run/long-first.js';
import { unitTests } from './test/support/run/shared-files.js';

const source = (path: string): string => fileURLToPath(new URL(`libs/grpc-lb/src/${path}`, import.meta.url));

const { shared, apart } = unitTests();

export default defineConfig({
  resolve: {
    // Tests run against the sources; test/package checks what is published.
    alias: [
      { find: '#page-directory', replacement: source('console/http/page-directory.ts') },
      { find: /^nestjs-grpc-lb$/, replacement: source('index.ts') },
      {
        find: /^nestjs-grpc-lb\/(config|console|doctor|grpc|server|streams|terminus|testing)$/,
        replacement: source('$1/index.ts'),
      },
      { find: /^nestjs-grpc-lb\/microservices$/, replacement: source('nest/clients-module/index.ts') },
      { find: /^nestjs-grpc-lb\/(opentelemetry|prometheus)$/, replacement: source('telemetry/$1/index.ts') },
      { find: /^nestjs-grpc-lb\/(consul|file|kubernetes|xds)$/, replacement: source('discovery/$1/index.ts') },
    ],
  },
  test: {
    // What needs nothing but npm. `test/package` and `test/external` have configurations of their own.
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: shared,
          isolate: false,
          setupFiles: 'test/support/run/shared-process.ts',
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'whole',
          include: [...apart, 'test/{docs,e2e,fuzz,support,types}/**/*.test.ts'],
          sequence: { groupOrder: 1 },
        },
      },
    ],
    sequence: { sequencer: LongFirst },
    // More than there are cores: the tests over real sockets mostly wait.
    maxWorkers: Math.ceil(1.5 * availableParallelism()),
    // They bound what hangs. A test waits for events, however long they take: on a busy machine that may be long.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 45_000, interval: 10 } },
    reporters: ['default', new SummaryReporter()],
  },
});

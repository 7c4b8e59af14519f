import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(`libs/grpc-lb/src/${path}`, import.meta.url));

export default defineConfig({
  resolve: {
    // Tests run against the sources; test/package checks what is published.
    alias: [
      { find: /^nestjs-grpc-lb$/, replacement: source('index.ts') },
      { find: /^nestjs-grpc-lb\/(grpc|config)$/, replacement: source('$1/index.ts') },
    ],
  },
  test: {
    include: ['libs/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'test/{e2e,properties,support}/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});

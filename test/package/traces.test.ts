import { beforeAll, describe, expect, test } from 'vitest';
import { compile, FORMATS, installed } from './install.js';
import { run } from './run.js';

interface Span {
  readonly name: string;
  readonly kind: number;
  readonly error: boolean;
  readonly root: boolean;
  readonly scope: string;
}

const OPENTELEMETRY = {
  '@opentelemetry/api': '^1.9.0',
  '@opentelemetry/context-async-hooks': '^2.12.1',
  '@opentelemetry/core': '^2.12.1',
  '@opentelemetry/instrumentation': '^0.223.0',
  '@opentelemetry/instrumentation-grpc': '^0.223.0',
  '@opentelemetry/sdk-trace': '^2.12.1',
  'grpc-health-check': '^2.1.0',
};

/** How the SDK and the instrumentation get into the process: the arguments of Node, and what the application does. */
const SETUPS = {
  'no instrumentation': { instrumentation: 'none', esm: ['--import', './dist/tracing.js'] },
  'before the application': { instrumentation: 'first', esm: ['--import', './dist/tracing.js'] },
  "before the application, with OpenTelemetry's loader": {
    instrumentation: 'first',
    esm: ['--import', './hook.mjs', '--import', './dist/tracing.js'],
  },
  'after the clients are made': { instrumentation: 'last', esm: [] },
} as const;

// Kinds of spans in OpenTelemetry.
const [SERVER, CLIENT] = [1, 2];

/** Without the prefix of the instrumentation. */
function callsOf(spans: readonly Span[], kind: number): string[] {
  return spans.filter((span) => span.kind === kind).map(({ name }) => name.replace(/^grpc\./, ''));
}

const CALLS = ['orders.v1.Orders/Find', 'orders.v1.Orders/List'];

describe.each(['nest-11', 'nest-12'])('traces in %s, beside an instrumentation of grpc-js', (nest) => {
  beforeAll(() => installed(nest, OPENTELEMETRY), 280_000);

  describe.each(FORMATS)('in %s', (_, type) => {
    let app: string;
    beforeAll(async () => {
      app = await compile(await installed(nest, OPENTELEMETRY), 'traces', type);
    }, 900_000);

    // The loader is for ESM.
    const setups = (Object.keys(SETUPS) as (keyof typeof SETUPS)[]).filter(
      (setup) => type === 'module' || !setup.endsWith('loader'),
    );
    test.each(setups)('%s: one span for each call on each side', async (setup) => {
      const { instrumentation, esm } = SETUPS[setup];
      const args = type === 'module' || esm.length === 0 ? esm : ['--require', './dist/tracing.js'];
      for (const health of ['offered', 'none']) {
        const env = { ...process.env, INSTRUMENTATION: instrumentation, HEALTH: health };
        const ran = await run(process.execPath, [...args, 'dist/main.js'], app, 120_000, env);
        expect(ran, ran.output).toMatchObject({ code: 0 });
        const report = JSON.parse(ran.stdout.trim().split('\n').at(-1)!) as { health: string; spans: Span[] };
        expect(report.health).toBe(health === 'none' ? 'not_offered' : 'serving');
        const { spans } = report;
        expect(callsOf(spans, CLIENT), ran.stdout).toEqual(CALLS);
        expect(callsOf(spans, SERVER), ran.stdout).toEqual(CALLS);
        // The watches of health and load have none.
        const others = spans.filter(({ kind }) => kind !== SERVER && kind !== CLIENT).map(({ name }) => name);
        expect(others.toSorted()).toEqual(['handler', 'request']);
        expect(spans.filter(({ error }) => error)).toEqual([]);
        expect(spans.filter(({ root }) => root).map(({ name }) => name)).toEqual(['request']);
        expect(ran.lingeredMs).toBeLessThan(1000);
      }
    });
  });
});

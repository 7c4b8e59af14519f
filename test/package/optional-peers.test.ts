import { beforeAll, describe, expect, it } from 'vitest';
import { compile, FORMATS, installed } from './install.js';
import { run } from './run.js';

// Each next to the others, so that a missing dependency of one is detected.
describe.each([
  ['nest-11', { '@nestjs/terminus': '^11.0.0' }],
  ['nest-12', { '@nestjs/terminus': '^12.0.0' }],
] as const)('with the optional @nestjs/terminus of %s', (nest, terminus) => {
  beforeAll(() => installed(nest, terminus), 200_000);

  it.each(FORMATS)('reports the health of a client, in %s', async (_, type) => {
    const app = await compile(await installed(nest, terminus), 'terminus', type);
    const ran = await run(process.execPath, ['dist/main.js'], app, 120_000);
    expect(ran, ran.output).toMatchObject({ code: 0 });
    // Terminus 11 has no degraded status: there it is up, with degraded in the details.
    const degraded = nest === 'nest-11' ? { status: 'up', degraded: true } : { status: 'degraded' };
    expect(JSON.parse(ran.stdout.trim().split('\n').at(-1)!)).toMatchObject([
      [200, { ...degraded, message: '1 of 2 endpoints are ready, at least 1 required' }],
      [503, { status: 'down', message: '1 of 2 endpoints are ready, at least 2 required' }],
    ]);
  });
});

describe.each(['nest-11', 'nest-12'])('the server side in %s, with the optional grpc-health-check', (nest) => {
  const health = { 'grpc-health-check': '^2.1.0' };

  beforeAll(() => installed(nest, health), 200_000);

  it.each(FORMATS)('reports its health to clients, and drains, in %s', async (_, type) => {
    const app = await compile(await installed(nest, health), 'server', type);
    const ran = await run(process.execPath, ['dist/main.js'], app, 120_000);
    expect(ran, ran.output).toMatchObject({ code: 0 });
    expect(JSON.parse(ran.stdout.trim().split('\n').at(-1)!)).toEqual({ health: 'serving' });
    expect(ran.lingeredMs).toBeLessThan(1000);
  });
});

describe.each(['nest-11', 'nest-12'])('the server side in %s, without grpc-health-check', (nest) => {
  beforeAll(() => installed(nest), 200_000);

  it.each(FORMATS)('says what to install, in %s', async (_, type) => {
    const app = await compile(await installed(nest), 'server', type);
    const ran = await run(process.execPath, ['dist/main.js'], app, 120_000);
    expect(ran.code, ran.output).toBe(1);
    expect(ran.output).toContain(
      'the health service of grpcServer(), which health: false turns off, needs the package grpc-health-check: npm install grpc-health-check',
    );
    expect(ran.output).toContain("code: 'GRPC_LB_PEER_MISSING'");
  });
});

describe.each(['nest-11', 'nest-12'])('metrics in %s, with the optional @opentelemetry/api and prom-client', (nest) => {
  const libraries = { '@opentelemetry/api': '^1.9.0', 'prom-client': '^15.0.0' };

  beforeAll(() => installed(nest, libraries), 200_000);

  it.each(FORMATS)('count a call, in %s', async (_, type) => {
    const app = await compile(await installed(nest, libraries), 'metrics', type);
    const ran = await run(process.execPath, ['dist/main.js'], app, 120_000);
    expect(ran, ran.output).toMatchObject({ code: 0 });
    expect(JSON.parse(ran.stdout.trim().split('\n').at(-1)!)).toEqual({
      produced: 1,
      exported:
        'grpc_client_attempt_started_total{grpc_method="orders.v1.Orders/Find",grpc_target="dns:///127.0.0.1:PORT"} 1',
    });
    expect(ran.lingeredMs).toBeLessThan(1000);
  });
});

// The platforms are peers of the application, not of the package.
describe.each([
  ['nest-11', '^11.0.0'],
  ['nest-12', '^12.0.0'],
])('the console in %s', (nest, version) => {
  // The declarations of Nest's platform need those of express, which it does not bring.
  const platforms = {
    '@nestjs/platform-express': version,
    '@nestjs/platform-fastify': version,
    '@types/express': '^5.0.0',
  };

  beforeAll(() => installed(nest, platforms), 200_000);

  it.each(FORMATS)('is served on Express and on Fastify, in %s', async (_, type) => {
    const app = await compile(await installed(nest, platforms), 'console', type);
    const ran = await run(process.execPath, ['dist/main.js'], app, 120_000);
    expect(ran, ran.output).toMatchObject({ code: 0 });
    const page = {
      statuses: [200, 200, 200, 200],
      types: ['text/html', 'text/javascript', 'text/css', 'text/event-stream'].map((each) => `${each}; charset=utf-8`),
      title: 'Orders',
      first: 'event: frame',
    };
    expect(JSON.parse(ran.stdout.trim().split('\n').at(-1)!)).toEqual([page, page]);
    expect(ran.lingeredMs).toBeLessThan(1000);
  });
});

// Each with its own optional peer, and no other.
describe.each([
  ['consul', { consul: '^2.0.1' }, { kind: 'consul', state: 'failed' }],
  ['file', { yaml: '^2.0.0' }, { kind: 'file', state: 'ok' }],
  // Its declarations need those of ws, which it does not bring.
  [
    'kubernetes',
    { '@kubernetes/client-node': '^1.4.0', '@types/ws': '^8.0.0' },
    { kind: 'kubernetes', state: 'failed' },
  ],
  ['xds', { '@grpc/grpc-js-xds': '^1.14.0' }, { kind: 'eds', state: 'failed' }],
] as [string, Record<string, string>, object][])('the source %s, with its optional peer', (name, peer, expected) => {
  beforeAll(() => installed('nest-12', peer), 200_000);

  it.each(FORMATS)('is registered, queries its registry, and lets the process end, in %s', async (_, type) => {
    const app = await compile(await installed('nest-12', peer), `sources-${name}`, type, ['sources']);
    const ran = await run(process.execPath, ['dist/main.js'], app, 120_000);
    expect(ran, ran.output).toMatchObject({ code: 0 });
    expect(JSON.parse(ran.stdout.trim().split('\n').at(-1)!)).toEqual(expected);
    expect(ran.lingeredMs).toBeLessThan(1000);
  });
});

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../libs/grpc-lb/src/testing/free-port.js';
import { compile, FORMATS, installed, place } from './install.js';
import { mustRun, run } from './run.js';

/** The generators, as the guide installs them. */
const GENERATORS = {
  '@bufbuild/buf': '^1.50.0',
  '@bufbuild/protobuf': '^2.14.0',
  '@bufbuild/protoc-gen-es': '^2.13.0',
  'ts-proto': '^2.18.0',
};

/** A Nest server by proto-loader, in an installation of its own. */
let server: ChildProcess;
let target: string;

beforeAll(async () => {
  const protos = place(await installed('nest-12'), 'generated', 'protos');
  const app = await compile(await installed('nest-12'), 'generated-server', 'module');
  const port = await freePort();
  target = `127.0.0.1:${port}`;
  server = spawn(process.execPath, ['dist/main.js', `${port}`, join(protos, 'protos/shop.proto')], {
    cwd: app,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(server.stdout!, 'data');
}, 900_000);

afterAll(async () => {
  server.kill();
  if (server.exitCode === null) await once(server, 'exit');
});

/** What an application has although nobody asked for it: grpc-js brings proto-loader, for its channelz. */
function removeProtoLoader(home: string): void {
  for (const name of readdirSync(join(home, 'node_modules'), { recursive: true, encoding: 'utf8' })) {
    if (/(^|\/)(@grpc\/proto-loader|protobufjs)$/.test(name))
      rmSync(join(home, 'node_modules', name), { recursive: true, force: true });
  }
}

describe.each(['nest-11', 'nest-12'])('clients over generated code in %s, without proto-loader', (nest) => {
  const apps = new Map<string, string>();
  const env = { ...process.env };

  beforeAll(async () => {
    const home = await installed(nest, GENERATORS);
    const bin = join(home, 'node_modules/.bin');
    env['PATH'] = `${bin}:${env['PATH']}`;
    for (const [, type] of FORMATS) {
      const app = place(home, 'generated', type);
      const generated = await run(join(bin, 'buf'), ['generate'], app, 180_000, env);
      expect(generated.code, generated.output).toBe(0);
      // What must not compile is in clients.ts. grpc-js's own declarations need those of proto-loader.
      await mustRun(process.execPath, [join(home, 'node_modules/typescript/bin/tsc'), '-p', '.'], app, 180_000);
      rmSync(join(app, 'protos'), { recursive: true });
      apps.set(type, app);
    }
    removeProtoLoader(home);
  }, 900_000);

  it.each(FORMATS)('call all kinds of methods of a Nest server by proto-loader, in %s', async (_, type) => {
    const ran = await run(process.execPath, ['dist/main.js'], apps.get(type)!, 120_000, {
      ...env,
      ORDERS_TARGET: target,
    });
    expect(ran.code, ran.output).toBe(0);
    const at = '2023-11-14T22:13:20.000Z';
    const streams = ['a1,a2', 'bc', 'd!,e!'];
    const { missing, ...found } = JSON.parse(ran.stdout.trim().split('\n').at(-1)!) as Record<string, unknown>;
    expect(found).toMatchObject({
      mocked: 'm',
      grpcJs: [[{ id: 'a', total: 12, card: 'visa', at }], ...streams],
      generic: [[{ id: 'a', total: '12n', card: 'visa', at }], ...streams],
      nest: [[{ id: 'a', total: 12, card: 'visa', at: { seconds: 1_700_000_000 } }], ...streams],
      es: [[{ $typeName: 'shop.v1.Order', total: '12n', payment: { case: 'card', value: 'visa' } }], ...streams],
      promised: [[{ id: 'a', total: '12n', card: 'visa', at }], ...streams],
      installed: [false, false, true],
    });
    expect(missing).toBe(
      'GRPC_LB_PEER_MISSING client ProtoOrders: protoPath needs the package @grpc/proto-loader: npm install @grpc/proto-loader',
    );
    expect(ran.lingeredMs).toBeLessThan(1000);
  });
});

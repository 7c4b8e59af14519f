import { loadPackageDefinition, Server, ServerCredentials, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installed } from './install.js';
import { mustRun, run } from './run.js';
import { filesOfPage, GUIDE, STARTERS, withoutExtensions } from './starter.js';

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.forceShutdown();
});

/** Calls the client of the compiled application until two backends have answered. */
const CALLER = `import { NestFactory } from '@nestjs/core';
import { firstValueFrom } from 'rxjs';
import { AppModule } from './dist/app.module.js';
import { OrdersClient } from './dist/orders.client.js';

const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'] });
const seen = new Set();
while (seen.size < 2) seen.add((await firstValueFrom(app.get(OrdersClient).find({ id: '1' }))).servedBy);
await app.close();
console.log(JSON.stringify([...seen].sort()));
`;

/** Serves what the schematic has written, on two ports, each of which answers with its own. */
async function serve(server: Server, proto: string, port: number): Promise<void> {
  const { orders } = loadPackageDefinition(loadSync(proto)) as unknown as {
    orders: { v1: { Orders: ServiceClientConstructor } };
  };
  server.addService(orders.v1.Orders.service, {
    Find: (_: unknown, done: (error: null, reply: object) => void) => done(null, { id: '1', servedBy: String(port) }),
  });
}

function checkoutController(nest: string): string {
  const files = filesOfPage(GUIDE);
  return STARTERS.find(({ major }) => nest.includes(`-${major}-`))!.isEsm
    ? files.get('src/checkout.controller.ts')!
    : withoutExtensions(files.get('src/checkout.controller.ts')!);
}

function listen(server: Server): Promise<number> {
  servers.push(server);
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
}

describe.each(['nest-11-cli', 'nest-12-cli'])('in a new application of %s, nest add', (nest) => {
  let home = '';
  let app = '';
  const cli = (...args: string[]): [string, string[]] => [
    process.execPath,
    [join(home, 'node_modules/@nestjs/cli/bin/nest.js'), ...args],
  ];

  beforeAll(async () => {
    home = await installed(nest);
    app = join(home, 'app');
    await mustRun(...cli('new', 'app', '--skip-git', '--skip-install', '--package-manager', 'npm'), home, 240_000);
  }, 900_000);

  it.each(['--dry-run', '-d'])('says with %s what it would write, and writes nothing', async (option) => {
    const { stdout } = await mustRun(...cli('add', 'nestjs-grpc-lb', '--skip-install', option), app, 240_000);
    for (const line of ['CREATE src/orders.client.ts', 'UPDATE package.json'])
      expect(stripVTControlCharacters(stdout)).toContain(line);
    expect(existsSync(join(app, 'src/orders.client.ts'))).toBe(false);
  });

  it('writes a client whose calls are balanced, and changes nothing the second time', async () => {
    const backends = [new Server(), new Server()];
    const ports = [await listen(backends[0]!), await listen(backends[1]!)];
    const target = `static:///${ports.map((port) => `127.0.0.1:${port}`).join(',')}`;
    // Nest passes the short form on as it is, but only behind an option in the long form.
    const add = cli('add', 'nestjs-grpc-lb', `--target=${target}`, '-s');
    await mustRun(...add, app, 240_000);
    // "Inject it as in Getting started": the controller of that page takes it.
    writeFileSync(join(app, 'src/checkout.controller.ts'), checkoutController(nest));
    for (const [i, server] of backends.entries()) await serve(server, join(app, 'src/orders.proto'), ports[i]!);

    await mustRun(...cli('build'), app, 240_000);
    writeFileSync(join(app, 'call.mjs'), CALLER);
    const called = await mustRun(process.execPath, ['call.mjs'], app, 120_000);
    expect(JSON.parse(called.stdout.trim().split('\n').at(-1)!)).toEqual(ports.map(String).toSorted());

    expect((await mustRun(...add, app, 240_000)).output).toContain('Nothing to be done.');
  }, 900_000);

  it('refuses what it cannot do, in one line', async () => {
    const ran = await run(...cli('add', 'nestjs-grpc-lb', '--skip-install', '--module=src/none.ts'), app, 240_000);
    // Nest's command-line tool 11 exits with 0 nevertheless.
    expect(ran.output).toContain('There is no TypeScript file "src/none.ts"');
    expect(ran.output).not.toMatch(/^\s+at /m);
  }, 900_000);

  it('refuses an option that it does not have', async () => {
    const ran = await run(...cli('add', 'nestjs-grpc-lb', '--skip-install', '--nmae=foo'), app, 240_000);
    expect(ran.output).toContain('nmae');
    expect(ran.output).not.toContain('Nothing to be done.');
  }, 900_000);
});

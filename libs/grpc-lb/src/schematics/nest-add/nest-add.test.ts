import { type Rule, type SchematicContext, Tree } from '@angular-devkit/schematics';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nestAdd, type NestAddOptions } from './nest-add.js';
import { findTypeScript } from './typescript.js';

const MAIN = `import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

const app = await NestFactory.create(AppModule);
await app.listen(3000);
`;

const MODULE = `import { Module } from '@nestjs/common';
import { AppController } from './app.controller.js';

@Module({
  imports: [],
  controllers: [AppController],
})
export class AppModule {}
`;

const MANIFEST = {
  type: 'module',
  dependencies: { '@nestjs/common': '^12.0.1', '@nestjs/core': '^12.0.1', rxjs: '^7.8.1' },
};

/** A project as `nest new` makes it, with other files where the test says so. Undefined leaves a file out. */
function project(files: Record<string, string | object | undefined> = {}): Tree {
  const tree = Tree.empty();
  const all = {
    'package.json': MANIFEST,
    'nest-cli.json': { sourceRoot: 'src' },
    'src/main.ts': MAIN,
    'src/app.module.ts': MODULE,
    ...files,
  };
  for (const [path, content] of Object.entries(all)) {
    if (content === undefined) continue;
    tree.create(path, typeof content === 'string' ? content : JSON.stringify(content));
  }
  return tree;
}

interface Outcome {
  readonly tree: Tree;
  readonly warnings: readonly string[];
  readonly tasks: number;
}

function add(tree: Tree, options: NestAddOptions = {}): Outcome {
  const warnings: string[] = [];
  let tasks = 0;
  const context = {
    logger: { info: () => {}, warn: (message: string) => void warnings.push(message) },
    addTask: () => void (tasks += 1),
  };
  // The devkit's own type, so that the compiler compares it with the part of it that is declared here.
  const rule: Rule = nestAdd(options);
  void rule(tree, context as unknown as SchematicContext);
  return { tree, warnings, tasks };
}

const imports = (tree: Tree, path = 'src/app.module.ts'): string =>
  /imports: (\[[^]*\]),?\n/.exec(tree.readText(path))![1]!.replace(/,\n {2}controllers[^]*/, '');

describe('nest add', () => {
  it('writes a client with its proto file, and imports it in the root module', () => {
    const { tree, tasks, warnings } = add(project());
    expect(tree.readText('src/app.module.ts')).toBe(`import { Module } from '@nestjs/common';
import { AppController } from './app.controller.js';
import { GrpcLbModule } from 'nestjs-grpc-lb';
import { OrdersClient } from './orders.client.js';

@Module({
  imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([OrdersClient])],
  controllers: [AppController],
})
export class AppModule {}
`);
    expect(tree.readText('src/orders.client.ts')).toContain(`@GrpcLbClient({
  package: 'orders.v1',
  service: 'Orders',
  protoPath: join(import.meta.dirname, 'orders.proto'),
  target: 'dns:///orders:50051',
})
export class OrdersClient extends GrpcService<Orders>() {}`);
    expect(tree.readText('src/orders.proto')).toContain('package orders.v1;');
    expect(tree.readJson('nest-cli.json')).toEqual({
      sourceRoot: 'src',
      compilerOptions: { assets: ['**/*.proto'], watchAssets: true },
    });
    expect(tree.readJson('package.json')).toEqual({
      type: 'module',
      dependencies: {
        '@grpc/grpc-js': '^1.14.0',
        '@grpc/proto-loader': '^0.8.0',
        '@nestjs/common': '^12.0.1',
        '@nestjs/core': '^12.0.1',
        '@nestjs/microservices': '^12.0.0',
        rxjs: '^7.8.1',
      },
    });
    expect([tasks, warnings]).toEqual([1, []]);
  });

  it('changes nothing the second time', () => {
    const { tree } = add(project());
    const files = ['package.json', 'nest-cli.json', 'src/app.module.ts', 'src/orders.client.ts', 'src/orders.proto'];
    const before = files.map((path) => tree.readText(path));
    expect(add(tree).tasks).toBe(0);
    expect(files.map((path) => tree.readText(path))).toEqual(before);
  });

  it('adds a second client to the module, without a second forRoot()', () => {
    const { tree } = add(project());
    add(tree, { name: 'order-items', target: 'static:///10.0.0.1:50051' });
    expect(imports(tree)).toBe(
      '[GrpcLbModule.forRoot(), GrpcLbModule.forFeature([OrdersClient]), GrpcLbModule.forFeature([OrderItemsClient])]',
    );
    expect(tree.readText('src/order-items.client.ts')).toContain("target: 'static:///10.0.0.1:50051'");
  });

  it.each([{ skipInstall: true }, { s: true }])('installs nothing if it is asked not to: %o', (options) => {
    expect(add(project(), options).tasks).toBe(0);
  });

  it('writes CommonJS for CommonJS, and dependencies for Nest 11', () => {
    const manifest = { dependencies: { '@nestjs/core': '^11.0.1' } };
    const { tree } = add(project({ 'package.json': manifest }));
    expect(tree.readText('src/orders.client.ts')).toContain("join(__dirname, 'orders.proto')");
    expect(tree.readText('src/app.module.ts')).toContain("from './orders.client';");
    expect(tree.readJson('package.json')).toMatchObject({ dependencies: { '@nestjs/microservices': '^11.0.0' } });
  });

  it('keeps the versions that package.json has', () => {
    const dependencies = { ...MANIFEST.dependencies, '@grpc/proto-loader': '^0.7.13' };
    const { tree } = add(project({ 'package.json': { ...MANIFEST, dependencies } }));
    expect(tree.readJson('package.json')).toMatchObject({ dependencies });
  });

  it('puts the proto file of a bundled application where bundle and sources find it', () => {
    const cli = { sourceRoot: 'src', compilerOptions: { builder: { type: 'rspack' } } };
    const { tree } = add(project({ 'nest-cli.json': cli }));
    expect(tree.exists('proto/orders.proto')).toBe(true);
    expect(tree.readText('src/orders.client.ts')).toContain("'../proto/orders.proto'");
    expect(tree.readJson('nest-cli.json')).toEqual(cli);
  });

  it.each<[readonly (string | object)[], boolean]>([
    [['**/*.proto'], true],
    [['*.proto'], true],
    [['orders.proto'], true],
    [[{ include: '**/*.proto', outDir: 'dist' }], true],
    [['mail/*.proto'], false],
    [['mail/**/*.proto', '*.json'], false],
    [[{ include: 'mail/*.proto' }], false],
  ])('has the build copy the proto file, if the assets do not have it yet: %j', (assets, covers) => {
    const cli = { sourceRoot: 'src', compilerOptions: { assets } };
    const { tree } = add(project({ 'nest-cli.json': cli }));
    expect(tree.readJson('nest-cli.json')).toMatchObject({
      compilerOptions: { assets: covers ? assets : [...assets, '**/*.proto'] },
    });
  });

  it('does not take the pattern of one folder for that of the folders below it', () => {
    const cli = { sourceRoot: 'src', compilerOptions: { assets: ['*.proto'] } };
    const files = { 'nest-cli.json': cli, 'src/v1/shop.proto': 'syntax = "proto3"; package shop.v1; service Shop {}' };
    const { tree } = add(project(files), { proto: 'src/v1/shop.proto' });
    expect(tree.readJson('nest-cli.json')).toMatchObject({ compilerOptions: { assets: ['*.proto', '**/*.proto'] } });
  });

  it.each(['src/', './src'])('takes the folder of the sources as it is written: %s', (sourceRoot) => {
    const files = {
      'nest-cli.json': { sourceRoot },
      'src/shop.proto': 'syntax = "proto3"; package a; service Shop {}',
    };
    const { tree } = add(project(files), { proto: 'src/shop.proto' });
    expect(tree.exists('src/shop.client.ts')).toBe(true);
    expect(tree.readJson('nest-cli.json')).toMatchObject({ compilerOptions: { assets: ['**/*.proto'] } });
  });

  it('adds to an application without a folder for its sources', () => {
    const elsewhere = 'GrpcLbModule.forRoot({})';
    const files = {
      'nest-cli.json': { sourceRoot: '.' },
      'src/main.ts': undefined,
      'src/app.module.ts': undefined,
      'main.ts': MAIN,
      'app.module.ts': MODULE,
      'shop.proto': 'syntax = "proto3"; package shop.v1; service Shop {}',
      'node_modules/a/a.module.ts': elsewhere,
      '.cache/a.module.ts': elsewhere,
    };
    const { tree } = add(project(files), { proto: 'shop.proto' });
    expect(imports(tree, 'app.module.ts')).toBe('[GrpcLbModule.forRoot(), GrpcLbModule.forFeature([ShopClient])]');
    expect(tree.readText('app.module.ts')).toContain("from './shop.client.js';");
    expect(tree.readText('shop.client.ts')).toContain("'shop.proto'");
    expect(tree.readJson('nest-cli.json')).toMatchObject({ compilerOptions: { assets: ['shop.proto'] } });
  });

  it('says what a build must copy without nest-cli.json', () => {
    expect(add(project({ 'nest-cli.json': undefined })).warnings).toEqual([
      expect.stringContaining('have your build copy src/*.proto'),
    ]);
  });
});

describe('the target', () => {
  it.each(['shop:50051', 'my_shop.eu-1.example:1', '10.0.0.1:50051', '[::1]:50051', 'dns+srv:///_grpc._tcp.shop'])(
    'may be %s',
    (target) => {
      const { tree, warnings } = add(project(), { target });
      expect(tree.readText('src/orders.client.ts')).toContain(`target: '${target}'`);
      expect(warnings).toEqual([]);
    },
  );

  it.each([
    ['kubernetes:///shop:grpc', 'npm install @kubernetes/client-node, and call registerKubernetes()'],
    ['eds:///shop', 'npm install @grpc/grpc-js-xds, and call registerXds() of nestjs-grpc-lb/xds'],
  ])('%s comes with what the application has to do', (target, text) => {
    expect(add(project(), { target }).warnings).toEqual([expect.stringContaining(text)]);
  });
});

describe('the contract without --proto', () => {
  const contract = (name?: string): string => {
    const { tree } = add(project(), name === undefined ? {} : { name });
    return tree.readText(`src/${name ?? 'orders'}.client.ts`);
  };

  it('is that of the guide', () => {
    const { tree } = add(project());
    const guide = readFileSync(new URL('../../../../../docs/guide/getting-started.md', import.meta.url), 'utf8');
    const [, proto] = /```proto\n\/\/ orders\.proto\n([^]*?)```/.exec(guide)!;
    expect(tree.readText('src/orders.proto')).toBe(proto);
    const [, order] = /(export interface Order \{[^]*?\n\}\n)/.exec(guide)!;
    expect(contract()).toContain(order);
    expect(contract()).toContain('  find(request: FindRequest): Observable<Order>;');
  });

  it.each([
    ['order-items', 'OrderItem'],
    ['stock', 'StockReply'],
    ['address', 'AddressReply'],
    ['status', 'StatusReply'],
    // The client needs the name itself.
    ['observables', 'ObservablesReply'],
    ['find-requests', 'FindRequestsReply'],
  ])('of %s answers %s', (name, message) => {
    expect(contract(name)).toContain(`find(request: FindRequest): Observable<${message}>;`);
    expect(contract(name)).toContain(`export interface ${message} {`);
  });
});

describe('in a monorepo', () => {
  const cli = {
    monorepo: true,
    sourceRoot: 'apps/web/src',
    compilerOptions: { webpack: true },
    projects: {
      web: { sourceRoot: 'apps/web/src' },
      api: { root: 'apps/api', sourceRoot: 'apps/api/src', entryFile: 'start', compilerOptions: { webpack: false } },
    },
  };
  const monorepo = (): Tree =>
    project({
      'nest-cli.json': cli,
      'apps/api/src/start.ts': MAIN.replace('./app.module.js', './core/api.module.js').replaceAll('AppModule', 'Api'),
      'apps/api/src/core/api.module.ts': MODULE.replace('AppModule', 'Api'),
      'apps/web/src/app.module.ts': MODULE,
    });

  it.each([{ project: 'api' }, { p: 'api' }])('adds to the module that the project starts: %o', (options) => {
    const { tree } = add(monorepo(), { ...options, sourceRoot: 'apps/web/src' });
    expect(tree.exists('apps/api/src/orders.client.ts')).toBe(true);
    expect(tree.readText('apps/api/src/core/api.module.ts')).toContain("from '../orders.client.js';");
    expect(tree.readText('apps/web/src/app.module.ts')).toBe(MODULE);
    expect(tree.readJson('nest-cli.json')).toMatchObject({
      projects: { api: { compilerOptions: { webpack: false, assets: ['**/*.proto'] } } },
    });
  });

  it('knows a project by the sources that the command-line tool passes', () => {
    const { tree } = add(monorepo(), { sourceRoot: 'apps/web/src' });
    expect(tree.readText('apps/web/src/orders.client.ts')).toContain("'../../../proto/orders.proto'");
  });

  it('names the projects if there is none of that name', () => {
    expect(() => add(monorepo(), { project: 'apii' })).toThrow('no project "apii". It has: web, api.');
  });
});

describe('the root module', () => {
  const withModule = (text: string, more = {}): Tree => project({ 'src/app.module.ts': text, ...more });
  const metadata = (text: string): Tree => withModule(MODULE.replace(/@Module\([^]*\)\n/, `@Module(${text})\n`));
  const added = 'GrpcLbModule.forRoot(), GrpcLbModule.forFeature([OrdersClient])';

  it.each([
    ['', `@Module({ imports: [${added}] })`],
    ['{}', `@Module({ imports: [${added}] })`],
    ['{ providers: [] }', `@Module({ imports: [${added}], providers: [] })`],
    ['{ imports: [A] }', `@Module({ imports: [A, ${added}] })`],
    ["{ 'imports': [A, ...rest,] }", `@Module({ 'imports': [A, ...rest, ${added},] })`],
    [
      '{\n  imports: [\n    A,\n  ],\n}',
      `@Module({\n  imports: [\n    A,\n    ${added.replace(', ', ',\n    ')},\n  ],\n})`,
    ],
    [
      '{ imports: [GrpcLbModule.forRootAsync({})] }',
      '@Module({ imports: [GrpcLbModule.forRootAsync({}), GrpcLbModule.forFeature([OrdersClient])] })',
    ],
  ])('gets imports: @Module(%s)', (text, expected) => {
    expect(add(metadata(text)).tree.readText('src/app.module.ts')).toContain(expected);
  });

  it('gets no second forRoot() if another module has it', () => {
    const { tree } = add(project({ 'src/core.module.ts': 'GrpcLbModule\n.forRoot({ log: true })' }));
    expect(imports(tree)).toBe('[GrpcLbModule.forFeature([OrdersClient])]');
  });

  it('keeps its quotes, semicolons and line ends', () => {
    const text = MODULE.replaceAll("'", '"').replaceAll(';\n', '\n').replaceAll('\n', '\r\n');
    const { tree } = add(withModule(text));
    expect(tree.readText('src/app.module.ts')).toContain('\r\nimport { GrpcLbModule } from "nestjs-grpc-lb"\r\n');
  });

  it('is the one that is asked for', () => {
    const { tree } = add(project({ 'src/shop/shop.module.ts': MODULE }), { module: 'src/shop/shop.module.ts' });
    expect(imports(tree, 'src/shop/shop.module.ts')).toContain('OrdersClient');
    expect(tree.readText('src/app.module.ts')).toBe(MODULE);
  });

  it.each([
    ['{ imports: shared }', '"imports" of @Module() in src/app.module.ts is not an array literal: add GrpcLbModule'],
    ['metadata', 'The argument of @Module() in src/app.module.ts is not an object literal: add GrpcLbModule'],
  ])('that cannot be edited is refused, with what to add: @Module(%s)', (text, message) => {
    expect(() => add(metadata(text))).toThrow(message);
  });

  it('must be one class', () => {
    expect(() => add(withModule(MODULE + MODULE))).toThrow('has 2 classes with @Module(), and must have one');
    expect(() => add(withModule('export {};'))).toThrow('has 0 classes with @Module(), and must have one');
  });
});

describe('a proto file of the project', () => {
  const PROTO = `syntax = "proto3";
    package shop.v1;
    service Orders {
      rpc Find(FindRequest) returns (Order);
      rpc Watch(FindRequest) returns (stream Order);
      rpc Upload(stream Order) returns (Observable);
    }
    message FindRequest { string order_id = 1; repeated int64 numbers = 2; }
    message Order {
      enum State { NEW = 0; DONE = 1; }
      message Line { bytes data = 1; Order order = 2; }
      repeated State states = 1; map<string, Line> by_sku = 2; google.protobuf.Timestamp created = 3;
    }
    message Observable { bool ok = 1; }`;
  const client = (proto: string, options: NestAddOptions = {}): string =>
    add(project({ 'proto/shop.proto': proto }), { proto: 'proto/shop.proto', ...options }).tree.readText(
      'src/orders.client.ts',
    );

  it('gives the client its package, service, methods and messages', () => {
    const text = client(PROTO);
    expect(text).toContain("'../proto/shop.proto'");
    expect(text).toContain("package: 'shop.v1',\n  service: 'Orders',");
    expect(text).toContain('loader: { longs: String, enums: String },');
    expect(text).toContain(`export interface Orders {
  find(request: FindRequest): Observable<Order>;
  watch(request: FindRequest): Observable<Order>;
  upload(requests: Observable<Order>): Observable<ObservableMessage>;
}`);
    expect(text).toContain(`export interface Order {
  states?: ('NEW' | 'DONE')[];
  bySku?: Record<string, OrderLine>;
  created?: unknown;
}`);
    expect(text).toContain('export interface OrderLine {\n  data?: Uint8Array;\n  order?: Order;\n}');
    expect(text).toContain('numbers?: string[];');
  });

  it('must have one service, or --service', () => {
    const two = `${PROTO} service Other {}`;
    expect(() => client(two)).toThrow('has the services Orders, Other: name one with --service.');
    expect(client(two, { service: 'Orders' })).toContain("service: 'Orders'");
    expect(() => client('syntax = "proto3"; package a;')).toThrow('has no service');
    expect(() => client('syntax = "proto3"; service A {}')).toThrow('has no package');
    expect(() => client('{')).toThrow('is not a proto file');
  });

  it.each(['missing.proto', '../package.json', '/etc/passwd'])('must be in the project: %s', (proto) => {
    expect(() => add(project(), { proto })).toThrow(`There is no file "${proto}"`);
  });
});

describe('it is refused, and nothing is changed,', () => {
  it.each<[string, Parameters<typeof project>[0], NestAddOptions, string]>([
    ['without package.json', { 'package.json': undefined }, {}, 'There is no package.json here'],
    ['without Nest', { 'package.json': {} }, {}, 'package.json does not have @nestjs/core'],
    ['with Nest 10', { 'package.json': { dependencies: { '@nestjs/core': '~10.1.0' } } }, {}, 'needs NestJS 11 or 12'],
    ['with a broken nest-cli.json', { 'nest-cli.json': '{ // no' }, {}, 'nest-cli.json is not JSON'],
    ['without a root module', { 'src/app.module.ts': undefined }, {}, 'name the file of the root module with --module'],
    ['with a module that is not there', {}, { module: 'src/a.module.js' }, '"src/a.module.js"'],
    ['with sources outside', {}, { sourceRoot: '../other' }, 'is outside of the project'],
    ['with a file of that name', { 'src/orders.client.ts': '' }, {}, 'exists, and has no class OrdersClient'],
    ['with a proto file of that name', { 'src/orders.proto': '' }, {}, 'run this with --proto=src/orders.proto'],
    ['with a name that is none', {}, { name: "a'; process.exit(); '" }, 'must begin with a letter'],
    ['with a name that the client needs', {}, { name: 'grpc-service' }, 'would declare GrpcService'],
    ['with a target of two lines', {}, { target: "dns:///a\n'," }, 'must be host:port'],
    ['with a target of the web', {}, { target: 'http://orders:50051' }, 'must be host:port'],
    ['with a scheme of gRPC', {}, { target: 'unix:/run/orders.sock' }, 'must be host:port'],
    ['with a scheme that nobody has', {}, { target: 'dsn:///orders:50051' }, 'must be host:port'],
    ['with a target without a port', {}, { target: 'orders' }, 'must be host:port'],
    ['with a port that is none', {}, { target: 'orders:65536' }, 'must be host:port'],
    ['with a scheme alone', {}, { target: 'dns:' }, 'must be host:port'],
  ])('%s', (_, files, options, message) => {
    expect(() => add(project(files), options)).toThrow(message);
  });

  it('without TypeScript', () => {
    expect(() => findTypeScript(['/'])).toThrow('TypeScript is not installed');
  });

  it('but a quote in a target stays in its literal', () => {
    const { tree } = add(project(), { target: "dns:///a',evil()" });
    expect(tree.readText('src/orders.client.ts')).toContain(String.raw`target: 'dns:///a\',evil()',`);
  });
});

import type { Tree } from '@angular-devkit/schematics';
import { describe, expect, it } from 'vitest';
import { add, imports, MAIN, MANIFEST, MODULE, project } from '../../../../../test/support/schematics/nest-project.js';

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

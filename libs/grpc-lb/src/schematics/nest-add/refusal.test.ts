import { describe, expect, it } from 'vitest';
import { add, project } from '../../../../../test/support/schematics/nest-project.js';
import type { NestAddOptions } from './nest-add.js';
import { findTypeScript } from './typescript.js';

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

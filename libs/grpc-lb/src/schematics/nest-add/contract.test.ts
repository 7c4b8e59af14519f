import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { add, project } from '../../../../../test/support/schematics/nest-project.js';
import type { NestAddOptions } from './nest-add.js';

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

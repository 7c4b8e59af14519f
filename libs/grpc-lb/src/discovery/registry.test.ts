import { describe, expect, test } from 'vitest';
import { FakeClock } from '../../../../test/support/time/fake-clock.js';
import type { EndpointSourceFactory } from '../core/endpoint-source.js';
import { DnsSource } from './dns/dns-source.js';
import { FixedSource } from './fixed-source.js';
import {
  createEndpointSource,
  dnsSourceFactory,
  parseTarget,
  registerEndpointSource,
  registeredSchemes,
} from './index.js';

const context = { clock: new FakeClock(), random: () => 0 };
const create = (uri: string) => createEndpointSource(parseTarget(uri), context);
const factory = (): EndpointSourceFactory => () => new FixedSource([]);

describe('the registry of endpoint sources', () => {
  test('static and dns are built in', () => {
    expect(registeredSchemes()).toEqual(['dns', 'dns+srv', 'static']);
    expect(create('static:///a:1')).toBeInstanceOf(FixedSource);
    expect(create('orders:50051')).toBeInstanceOf(DnsSource);
  });

  test('a custom source is created for its scheme, with the target and the context', () => {
    const source = new FixedSource([]);
    const seen: unknown[] = [];
    registerEndpointSource('own', (...parameters) => (seen.push(...parameters), source));
    expect(create('own://eu/orders')).toBe(source);
    expect(seen).toEqual([{ uri: 'own://eu/orders', scheme: 'own', authority: 'eu', path: 'orders' }, context]);
    expect(registeredSchemes()).toEqual(['dns', 'dns+srv', 'own', 'static']);
  });

  test('the same factory may be registered again, a different one only with replace', () => {
    const first = factory();
    registerEndpointSource('twice', first);
    registerEndpointSource('twice', first);
    expect(() => registerEndpointSource('twice', factory())).toThrow(
      'registerEndpointSource: an option is invalid\n  - scheme is "twice", which already has a source; ' +
        'register yours under another scheme, or pass { replace: true } to replace it',
    );
    const source = new FixedSource([]);
    registerEndpointSource('twice', () => source, { replace: true });
    expect(create('twice:x')).toBe(source);
  });

  test('a built-in source can be replaced', () => {
    expect(() => registerEndpointSource('dns', dnsSourceFactory())).toThrow(
      'scheme is "dns", which already has a source',
    );
    registerEndpointSource('dns', dnsSourceFactory({ refreshInterval: 5000 }), { replace: true });
    expect(create('dns:///orders:50051')).toBeInstanceOf(DnsSource);
  });

  test.each(['', 'Own', '1own', 'my_own', 'own:', undefined])('%j is not a valid scheme', (scheme) => {
    expect(() => registerEndpointSource(scheme as string, factory())).toThrow(
      'use a lower-case letter, followed by lower-case letters, digits, "+", "." or "-"',
    );
  });

  test('a factory must be a function', () => {
    expect(() => registerEndpointSource('object', {} as EndpointSourceFactory)).toThrow(
      'factory is {}; use a function that makes an EndpointSource',
    );
    expect(registeredSchemes()).not.toContain('object');
  });

  test.each([
    ['dsn:///orders:50051', 'scheme is "dsn", which is unknown; did you mean "dns"?; use one of '],
    [
      'http://localhost:50051',
      'scheme is "http", which this package does not support; write dns:///host:port in place of http://',
    ],
    ['https://localhost:50051', 'write dns:///host:port in place of https://host:port, and set tls: {}'],
    ['ipv4:10.0.0.1:1,10.0.0.2:1', 'write static:///host:port,host:port in place of ipv4:host:port,host:port'],
    ['ipv6:[::1]:1', 'write static:///[::1]:port,[::2]:port in place of ipv6:'],
    ['unix:/run/orders.sock', 'write static:///unix:path in place of unix:path'],
    ['konsul:///orders', 'scheme is "konsul", which is unknown; did you mean "consul"?; use one of '],
    ['k8s:///orders:grpc', 'did you mean "kubernetes"?; use one of '],
    ['srv:///_grpc._tcp.orders', 'did you mean "dns+srv"?; use one of '],
    ['nowhere:///x', 'sub-paths of the package add consul, eds, file, kubernetes, xds'],
    ['orders:grpc', 'scheme is "orders", which is unknown; use one of dns, '],
    ['a:1,b:2', 'address is "a:1,b:2"; for several addresses write static:///a:1,b:2'],
    ['orders:5O051', 'address has the port "5O051"; use a whole number from 1 to 65535, as in orders:50051'],
    ['orders:undefined', 'address has the port "undefined"; use a whole number'],
    ['orders:', 'address has no port after the colon; use a whole number'],
    ['k8s:9x', 'scheme is "k8s", which is unknown; did you mean "kubernetes"?'],
  ])('%s is an error that says what to write', (uri, message) => {
    expect(() => create(uri)).toThrow(message);
    expect(() => create(uri)).toThrow(`target "${uri}": an option is invalid`);
  });

  test('what follows a name and a colon is not quoted if it may be a password', () => {
    expect(() => create('user:SECRET1@orders:50051')).toThrow('scheme is "user", which is unknown');
    expect(() => create('user:SECRET1@orders:50051')).not.toThrow('SECRET1');
  });

  test.each([
    'dns://user:SECRET@10.0.0.2/orders:50051',
    'dns:///user:SECRET@orders:50051',
    'dns+srv:///user:SECRET@orders.shop',
    'static:///a:1,user:SECRET@b:1',
  ])('user info in %s is a fault that does not quote it', (uri) => {
    expect(() => create(uri)).toThrow('target has user info, a token or a password, which this source does not use');
    expect(() => create(uri)).not.toThrow(/SECRET/);
  });

  test.each([
    ['dns:', 'path is empty; write what to look up, as in dns:///orders:50051'],
    ['dns:///', 'path is empty; write what to look up, as in dns:///orders:50051'],
    ['dns://orders:50051', 'path is empty; write dns:///orders:50051, with three slashes'],
    ['static://a:1,b:2', 'path is empty; write static:///a:1,b:2, with three slashes'],
  ])('%s: %s', (uri, message) => {
    expect(() => create(uri)).toThrow(message);
  });
});

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTarget } from './target.js';

// A fixed seed keeps failures reproducible; set FAST_CHECK_SEED to try another one.
fc.configureGlobal({ seed: Number(process.env['FAST_CHECK_SEED'] ?? 1) });

describe('parseTarget', () => {
  test.each([
    ['dns:///orders:50051', 'dns', '', 'orders:50051'],
    ['dns://10.0.0.2/orders:50051', 'dns', '10.0.0.2', 'orders:50051'],
    ['dns://[::1]:53/orders:50051', 'dns', '[::1]:53', 'orders:50051'],
    ['dns:orders:50051', 'dns', '', 'orders:50051'],
    ['dns:orders', 'dns', '', 'orders'],
    ['DNS:///Orders', 'dns', '', 'Orders'],
    ['static:///a:1,b:2', 'static', '', 'a:1,b:2'],
    ['static:a:1,b:2', 'static', '', 'a:1,b:2'],
    ['static:///unix:/run/a.sock', 'static', '', 'unix:/run/a.sock'],
    ['kubernetes:///orders.shop:grpc', 'kubernetes', '', 'orders.shop:grpc'],
    ['file:///etc/orders.json', 'file', '', 'etc/orders.json'],
    ['x+y-z.1:///p/q', 'x+y-z.1', '', 'p/q'],
    ['dns://orders:50051', 'dns', 'orders:50051', ''],
    ['dns:///', 'dns', '', ''],
    ['dns:', 'dns', '', ''],
  ])('%s is scheme %j, authority %j, path %j', (uri, scheme, authority, path) => {
    expect(parseTarget(uri)).toEqual({ uri, scheme, authority, path });
  });

  test.each([
    'orders:50051',
    'orders',
    'orders.shop.svc.cluster.local.:50051',
    'my_orders:50051',
    '10.0.0.1:50051',
    '10.0.0.1:50051,10.0.0.2:50051',
    '[::1]:50051',
    '::1',
    'bücher.example:50051',
    ':50051',
    // A host may have the name of a scheme if only a number follows.
    'dns:50051',
    'consul:8500',
    'static:1',
  ])('%s has no scheme and is a name for DNS', (uri) => {
    expect(parseTarget(uri)).toEqual({ uri, scheme: 'dns', authority: '', path: uri });
  });

  test('blanks around a target, as in environment variables, are ignored', () => {
    expect(parseTarget(' dns:///orders:50051\n')).toEqual(parseTarget('dns:///orders:50051'));
  });

  test.each(['', '  '])('the empty target %j is an error', (uri) => {
    expect(() => parseTarget(uri)).toThrow('target is empty; write where the endpoints are, as in dns:///orders:50051');
  });

  test('formatted targets parse back to their parts', () => {
    const part = fc.stringMatching(/^[a-z0-9.:[\]-]*$/);
    const scheme = fc.stringMatching(/^[a-z][a-z0-9+.-]*$/);
    fc.assert(
      fc.property(scheme, part, fc.stringMatching(/^[a-z0-9.:/,;=-]*$/), (name, authority, path) => {
        const uri = `${name}://${authority}/${path}`;
        expect(parseTarget(uri)).toEqual({ uri, scheme: name, authority, path });
      }),
    );
  });
});

import { expect, test } from 'vitest';
import { hasSecrets, withoutSecrets } from './target-secrets.js';

test.each([
  ['consul:///orders?token=SECRET', 'consul:///orders?token=...'],
  ['consul:///orders?dc=a&token=SECRET&tag=b', 'consul:///orders?dc=a&token=...&tag=b'],
  ['consul:///orders?token=SECRET/x?y#z;SECRET', 'consul:///orders?token=...'],
  ['consul://orders?token=SECRET', 'consul://orders?token=...'],
  ['consul:///orders?%74oken=SECRET', 'consul:///orders?%74oken=...'],
  ['consul:///orders?%2574oken=SECRET', 'consul:///orders?%2574oken=...'],
  ['consul:///orders?acl_token=SECRET&acl-token=SECRET', 'consul:///orders?acl_token=...&acl-token=...'],
  ['consul:///orders?X-Consul-Token=SECRET', 'consul:///orders?X-Consul-Token=...'],
  ['consul:///orders?tag=a;token=SECRET', 'consul:///orders?tag=a;token=...'],
  ['consul:///orders#token=SECRET', 'consul:///orders#token=...'],
  ['consul:///orders%3Ftoken=SECRET', 'consul:///orders%3Ftoken=...'],
  ['consul:///orders?token%3DSECRET', 'consul:...'],
  ['consul://me:SECRET@agent:8500/orders', 'consul://...@agent:8500/orders'],
  ['consul://SECRET@agent/orders?password=SECRET', 'consul://...@agent/orders?password=...'],
  ['consul://me:SECRET%40agent/orders', 'consul:...'],
  ['registry://host/orders?api_key=SECRET', 'registry://host/orders?api_key=...'],
  ['dns://user:SECRET@host/x', 'dns://...@host/x'],
  ['dns:///user:SECRET@host:1', 'dns:///...@host:1'],
  ['dns:///user:SE/CRET@host', 'dns:///...@host'],
  ['dns:///SECRET@host:1', 'dns:///...@host:1'],
  ['dns:user:SECRET@host:1', 'dns:...@host:1'],
  ['dns:///user:SECRET%40host:1', 'dns:...'],
  ['static:///a:1,user:SECRET@b:1', 'static:///a:1,...@b:1'],
  ['static:///a:1;weight=2,user:SECRET@b:1;weight=3', 'static:///a:1;weight=2,...@b:1;weight=3'],
  ['kubernetes:///user:SECRET@orders.shop:grpc', 'kubernetes:///...@orders.shop:grpc'],
  ['eds://user:SECRET@control-plane:18000/orders', 'eds://...@control-plane:18000/orders'],
  ['user:SECRET@host:50051', '...@host:50051'],
])('%s is shown as %s', (uri, shown) => {
  expect(withoutSecrets(uri)).toBe(shown);
  expect(withoutSecrets(shown)).toBe(shown);
  expect(hasSecrets(uri)).toBe(true);
});

test.each([
  'dns:///orders.shop:50051',
  'consul://agent:8500/orders?tag=a@b&dc=eu',
  'static:///unix:/run/user@1000/orders.sock;weight=2',
  'file:///etc/100%/a=b/list.yaml',
  'file:///home/me@corp/list.yaml',
  'file:///C:/me@corp/list.yaml',
  'orders@v2',
  'xds:///orders@v2',
  '[::1]:50051',
  'dns:///[fe80::1%25eth0]:50051',
  'consul:///orders?tag=%E2%82%AC%zz',
])('%s is shown as it is', (uri) => {
  expect(withoutSecrets(uri)).toBe(uri);
});

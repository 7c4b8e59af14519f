import { describe, expect, it } from 'vitest';
import { add, project } from '../../../../../test/support/schematics/nest-project.js';

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

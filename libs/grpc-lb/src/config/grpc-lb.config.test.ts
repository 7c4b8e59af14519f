import { ConfigModule, type ConfigModuleOptions } from '@nestjs/config';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { GrpcLbOptionsError } from '../core/errors.js';
import { grpcLbConfig, grpcLbEnvironmentSchema } from './index.js';

beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('GRPC_LB_')) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

describe('grpcLbConfig', () => {
  test('without variables it overrides nothing', () => {
    expect(grpcLbConfig()).toEqual({ overrides: {} });
  });

  test('reads the environment when it is called', () => {
    vi.stubEnv('GRPC_LB_ORDERS_TARGET', 'dns:///orders:1');
    vi.stubEnv('GRPC_LB_ORDERS_POOL_SIZE', '8');
    expect(grpcLbConfig()).toEqual({
      overrides: { ORDERS: { target: 'dns:///orders:1', loadBalancing: { pool: { size: 8 } } } },
    });
    vi.stubEnv('GRPC_LB_ORDERS_POOL_SIZE', '');
    expect(grpcLbConfig()).toEqual({ overrides: { ORDERS: { target: 'dns:///orders:1' } } });
  });

  test('throws all faults in one error', () => {
    vi.stubEnv('GRPC_LB_ORDERS_POOL_SIZE', '0');
    vi.stubEnv('GRPC_LB_ORDERS_POLICY', 'random');
    vi.stubEnv('GRPC_LB_ORDERS_TARGT', 'a:1');
    expect(grpcLbConfig).toThrow(GrpcLbOptionsError);
    expect(grpcLbConfig).toThrow(
      'environment: 2 options are invalid\n' +
        '  - GRPC_LB_ORDERS_POOL_SIZE is 0; use a whole number from 1 to 100\n' +
        '  - GRPC_LB_ORDERS_TARGT ("ORDERS_TARGT") is not a variable of this package; did you mean "TARGET"?',
    );
  });

  test('is a namespaced configuration of @nestjs/config', async () => {
    vi.stubEnv('GRPC_LB_ORDERS_POLICY', 'random');
    expect(grpcLbConfig.KEY).toBe('CONFIGURATION(grpcLb)');
    const app = await start({ load: [grpcLbConfig] });
    expect(app.get<unknown>(grpcLbConfig.KEY)).toEqual({
      overrides: { ORDERS: { loadBalancing: { policy: 'random' } } },
    });
    await app.close();
  });
});

describe('grpcLbEnvironmentSchema', () => {
  const schema = grpcLbEnvironmentSchema['~standard'];

  test('is a Standard Schema of version 1', () => {
    expect(schema).toEqual({ version: 1, vendor: 'nestjs-grpc-lb', validate: expect.any(Function) });
  });

  test('returns the value unchanged, including other variables, if it is valid', () => {
    const environment = { GRPC_LB_ORDERS_POOL_SIZE: '8', PATH: '/bin', PORT: 3000 };
    const result = schema.validate(environment);
    expect(result).toEqual({ value: environment });
    expect(result).not.toHaveProperty('issues');
    expect(schema.validate({})).toEqual({ value: {} });
  });

  test('returns an issue for each fault, with the variable as its path', () => {
    const result = schema.validate({ GRPC_LB_ORDERS_POOL_SIZE: '0', GRPC_LB_STOCK_POLICY: 'rand', PATH: '/bin' });
    expect(result).not.toHaveProperty('value');
    expect(result).toMatchObject({
      issues: [
        {
          path: ['GRPC_LB_ORDERS_POOL_SIZE'],
          message: expect.stringContaining('is 0; use a whole number from 1 to 100'),
        },
        { path: ['GRPC_LB_STOCK_POLICY'], message: expect.stringContaining('did you mean "random"?') },
      ],
    });
  });

  test.for<unknown>([undefined, null, 'x', 5, []])('answers with an issue, and does not throw, for %j', (value) => {
    expect(schema.validate(value)).toEqual({
      issues: [{ path: [], message: expect.stringMatching(/^is .*; use an object/) }],
    });
  });

  test('is accepted by @nestjs/config, which stops the application with all faults', async () => {
    vi.stubEnv('GRPC_LB_ORDERS_POOL_SIZE', '8');
    await (await start({ validationSchema: grpcLbEnvironmentSchema })).close();

    vi.stubEnv('GRPC_LB_ORDERS_POOL_SIZE', '0');
    vi.stubEnv('GRPC_LB_ORDERS_POLICY', 'raandom');
    await expect(start({ validationSchema: grpcLbEnvironmentSchema })).rejects.toThrow(
      /GRPC_LB_ORDERS_POOL_SIZE.*is 0.*\n.*GRPC_LB_ORDERS_POLICY.*did you mean "random"/,
    );
  });
});

async function start(options: ConfigModuleOptions) {
  return Test.createTestingModule({ imports: [ConfigModule.forRoot({ ignoreEnvFile: true, ...options })] }).compile();
}

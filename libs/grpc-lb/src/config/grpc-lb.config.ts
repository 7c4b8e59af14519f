import { registerAs } from '@nestjs/config';
import { type Fault, GrpcLbOptionsError } from '../core/errors.js';
import { isObject, shown } from '../core/options/validation.js';
import type { GrpcLbModuleOptions } from '../nest/module-options.js';
import { readEnvironment } from './read-environment.js';

/** The part of the Standard Schema interface (standardschema.dev, version 1) that validators call. */
export interface EnvironmentSchema {
  /** The schema itself, as the interface prescribes. */
  readonly '~standard': {
    /** The version of the interface. */
    readonly version: 1;
    /** This package. */
    readonly vendor: string;
    /** For types only; it has no value. */
    readonly types?: {
      /** Environment variables. */
      readonly input: Record<string, unknown>;
      /** The same, unchanged. */
      readonly output: Record<string, unknown>;
    };
    /** Checks the variables of this package. */
    validate(
      value: unknown,
    ):
      | { readonly value: Record<string, unknown> }
      | { readonly issues: readonly { readonly message: string; readonly path: readonly string[] }[] };
  };
}

/**
 * The environment variables of this package as a Standard Schema, for `ConfigModule.forRoot({ validationSchema })` of
 * @nestjs/config 12 (version 4, of Nest 11, takes only Joi schemas; `grpcLbConfig` performs the same checks itself);
 * other variables pass through unchanged.
 */
export const grpcLbEnvironmentSchema: EnvironmentSchema = {
  '~standard': {
    version: 1,
    vendor: 'nestjs-grpc-lb',
    validate(value) {
      if (!isObject(value))
        return { issues: [{ path: [], message: `is ${shown(value)}; use an object of environment variables` }] };
      const faults: Fault[] = [];
      readEnvironment(value as Record<string, unknown>, faults);
      if (faults.length === 0) return { value: value as Record<string, unknown> };
      return { issues: faults.map(({ path, message }) => ({ path: [path], message: `${path} ${message}` })) };
    },
  },
};

/**
 * The client options from the environment, for `GrpcLbModule.forRootAsync(grpcLbConfig.asProvider())`. They win over
 * the code.
 *
 * @throws GrpcLbOptionsError that lists all invalid variables.
 */
export const grpcLbConfig = registerAs('grpcLb', (): GrpcLbModuleOptions => {
  const faults: Fault[] = [];
  const overrides = readEnvironment(process.env, faults);
  if (faults.length > 0) throw new GrpcLbOptionsError('environment', faults);
  return { overrides };
});

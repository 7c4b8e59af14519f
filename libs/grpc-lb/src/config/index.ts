/**
 * Options of clients from environment variables, through `@nestjs/config`.
 *
 * @example
 * ```ts
 * imports: [ConfigModule.forRoot(), GrpcLbModule.forRootAsync(grpcLbConfig.asProvider())]
 * ```
 *
 * @packageDocumentation
 */

export { type EnvironmentSchema, grpcLbConfig, grpcLbEnvironmentSchema } from './grpc-lb.config.js';

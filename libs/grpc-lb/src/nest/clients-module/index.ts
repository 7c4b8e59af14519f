/**
 * `ClientsModule` of `@nestjs/microservices` with balanced gRPC clients, and the names that applications import beside it.
 *
 * @packageDocumentation
 */
export { type ClientsOf, ClientsModule } from './clients-module.js';
export { Transport } from '@nestjs/microservices';
export type {
  ClientGrpc,
  ClientOptions,
  ClientProviderOptions,
  ClientsModuleAsyncOptions,
  ClientsModuleOptions,
  ClientsModuleOptionsFactory,
  ClientsProviderAsyncOptions,
  GrpcOptions,
} from '@nestjs/microservices';

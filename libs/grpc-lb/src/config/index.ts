export { type EnvironmentSchema, grpcLbConfig, grpcLbEnvironmentSchema } from './grpc-lb.config.js';

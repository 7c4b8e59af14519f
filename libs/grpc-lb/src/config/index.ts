export { grpcLbConfig, grpcLbEnvironmentSchema } from './grpc-lb.config.js';

import { mergeConfig } from 'vitest/config';
import shared from '../../../vitest.config.js';

/** What needs gRPC of another language, and its protos: Debian's python3-grpcio and grpc-proto. */
const config = mergeConfig(shared, {}) as typeof shared;
config.test!.include = ['test/external/interop/**/*.test.ts'];
export default config;

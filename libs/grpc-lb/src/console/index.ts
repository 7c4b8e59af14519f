export { GrpcLbConsoleModule } from './console.module.js';
export type {
  ConsoleActionsOptions,
  ConsoleCallsOptions,
  ConsoleGuard,
  ConsolePanel,
  GrpcLbConsoleOptions,
} from './options.js';

/**
 * A live page in the application that shows clients, endpoints, calls and events.
 *
 * @example
 * ```ts
 * imports: [GrpcLbModule.forRoot(), GrpcLbConsoleModule.forRoot({ guards: [AdminGuard] })]
 * ```
 *
 * @packageDocumentation
 */

export { GrpcLbConsoleModule } from './console.module.js';
export type {
  ConsoleActionsOptions,
  ConsoleCallsOptions,
  ConsoleGuard,
  ConsolePanel,
  GrpcLbConsoleOptions,
} from './options.js';

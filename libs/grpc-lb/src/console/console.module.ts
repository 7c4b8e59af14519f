import { type DynamicModule, Inject, Module, Optional } from '@nestjs/common';
import { assertForRoot } from '../core/options/required.js';
import { requiredRegistry } from '../nest/required-imports.js';
import { consoleControllers } from './console.controller.js';
import { ConsoleActions } from './console-actions.js';
import { ConsoleFeed } from './console-feed.js';
import { effectiveConsoleOptions, type GrpcLbConsoleOptions } from './options.js';
import { CONSOLE_OPTIONS } from './tokens.js';

/**
 * A live page in the application that shows its balanced clients: endpoints with their shares and why, connections,
 * discovery, events, options in force, recent failed and slow calls. On Express and Fastify, beside
 * `GrpcLbModule.forRoot()`.
 *
 * @example
 *   imports: [GrpcLbModule.forRoot(), GrpcLbConsoleModule.forRoot({ path: '/grpc-lb', guards: [AdminGuard] })]
 */
@Module({})
export class GrpcLbConsoleModule {
  /**
   * Mounts the page. Import it beside `GrpcLbModule.forRoot()`.
   *
   * @throws GrpcLbOptionsError that lists all faults.
   */
  static forRoot(options: GrpcLbConsoleOptions = {}): DynamicModule {
    const effective = effectiveConsoleOptions(options);
    return {
      module: GrpcLbConsoleModule,
      imports: options.imports ?? [],
      controllers: consoleControllers(effective),
      providers: [
        { provide: CONSOLE_OPTIONS, useValue: effective },
        requiredRegistry('GrpcLbConsoleModule'),
        ConsoleFeed,
        ConsoleActions,
      ],
    };
  }

  /** @internal Nest creates it. */
  constructor(@Optional() @Inject(CONSOLE_OPTIONS) options: unknown) {
    assertForRoot(options, 'GrpcLbConsoleModule');
  }
}

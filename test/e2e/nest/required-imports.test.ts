import type { Type } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { GrpcLbModule } from 'nestjs-grpc-lb';
import { GrpcLbConsoleModule } from 'nestjs-grpc-lb/console';
import { GrpcLbOpenTelemetryModule } from 'nestjs-grpc-lb/opentelemetry';
import { GrpcLbPrometheusModule } from 'nestjs-grpc-lb/prometheus';
import { GrpcServerModule } from 'nestjs-grpc-lb/server';
import { GrpcLbHealthIndicator, GrpcLbTerminusModule } from 'nestjs-grpc-lb/terminus';
import { expect, it } from 'vitest';
import { startError } from '../../support/nest/app.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

it.each([
  ['GrpcLbConsoleModule', { imports: [GrpcLbConsoleModule.forRoot()] }],
  ['GrpcLbOpenTelemetryModule', { imports: [GrpcLbOpenTelemetryModule.forRoot()] }],
  ['GrpcLbPrometheusModule', { imports: [GrpcLbPrometheusModule.forRoot()] }],
  ['GrpcLbHealthIndicator', { imports: [GrpcLbTerminusModule] }],
  ['GrpcLbHealthIndicator', { imports: [TerminusModule], providers: [GrpcLbHealthIndicator] }],
])('%s says that GrpcLbModule.forRoot() is missing', async (subject, metadata) => {
  expect(await startError(metadata)).toMatchObject({
    code: 'GRPC_LB_INVALID_OPTIONS',
    message: `${subject}: an option is invalid\n  - GrpcLbModule.forRoot() is missing; add it to the imports of the root module`,
  });
});

it.each<[string, Type]>([
  ['GrpcLbConsoleModule', GrpcLbConsoleModule],
  ['GrpcLbOpenTelemetryModule', GrpcLbOpenTelemetryModule],
  ['GrpcLbPrometheusModule', GrpcLbPrometheusModule],
  ['GrpcServerModule', GrpcServerModule],
])('%s without forRoot() is an error, since it would do nothing', async (name, module) => {
  const { message } = await startError({ imports: [GrpcLbModule.forRoot(), module] });
  expect(message).toBe(
    `${name}: an option is invalid\n  - forRoot() is missing; write ${name}.forRoot() in place of ${name}`,
  );
});

import { Controller, Get, Inject, Res, type Type, VERSION_NEUTRAL } from '@nestjs/common';
import type { Registry, RegistryContentType } from 'prom-client';

/** The token of the registry that the endpoint shows. */
export const PROMETHEUS_REGISTRY = Symbol('nestjs-grpc-lb Prometheus registry');

/** What the replies of Express and of Fastify have in common. */
interface Reply {
  header(name: string, value: string): unknown;
  send(body: string): unknown;
}

/** A controller that shows a registry at a path. It answers itself, so that no interceptor wraps the text. */
export function metricsControllerAt(path: string): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
  class GrpcLbMetricsController {
    constructor(@Inject(PROMETHEUS_REGISTRY) private readonly registry: Registry<RegistryContentType>) {}

    @Get()
    async metrics(@Res() reply: Reply): Promise<void> {
      const text = await this.registry.metrics();
      reply.header('Content-Type', this.registry.contentType);
      reply.send(text);
    }
  }
  return GrpcLbMetricsController;
}

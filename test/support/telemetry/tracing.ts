import {
  type Attributes,
  context,
  type HrTime,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { onTestFinished } from 'vitest';

/** A span as an assertion compares it; what is empty is left out. */
export interface ShownSpan {
  readonly name: string;
  readonly kind: keyof typeof SpanKind;
  /** The name of the parent span; undefined for a root. */
  readonly parent?: string;
  readonly status?: { readonly code: keyof typeof SpanStatusCode; readonly message?: string };
  readonly attributes: Attributes;
  readonly events: readonly [name: string, attributes: Attributes | undefined][];
}

/** OpenTelemetry's SDK as an application sets it up, with the spans in memory. It is removed when the test ends. */
export class Tracing {
  readonly #exporter = new InMemorySpanExporter();

  constructor(sampler?: Sampler) {
    const spanProcessors = [new SimpleSpanProcessor({ exporter: this.#exporter })];
    trace.setGlobalTracerProvider(new TracerProvider(sampler ? { spanProcessors, sampler } : { spanProcessors }));
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const propagators = [new W3CTraceContextPropagator(), new W3CBaggagePropagator()];
    propagation.setGlobalPropagator(new CompositePropagator({ propagators }));
    onTestFinished(() => {
      trace.disable();
      context.disable();
      propagation.disable();
    });
  }

  /** Those that have ended, in that order. */
  get spans(): ReadableSpan[] {
    return this.#exporter.getFinishedSpans();
  }

  /** The same, to compare. */
  get shown(): ShownSpan[] {
    const names = new Map(this.spans.map((span) => [span.spanContext().spanId, span.name]));
    return this.spans.map((span) => {
      const { parentSpanContext: parent, status } = span;
      return {
        name: span.name,
        kind: SpanKind[span.kind] as keyof typeof SpanKind,
        ...(parent && { parent: names.get(parent.spanId) ?? parent.spanId }),
        ...(status.code !== SpanStatusCode.UNSET && {
          status: { ...status, code: SpanStatusCode[status.code] as keyof typeof SpanStatusCode },
        }),
        attributes: span.attributes,
        events: span.events.map(({ name, attributes }) => [name, attributes]),
      };
    });
  }

  /** One by its name. */
  named(name: string): ReadableSpan {
    const found = this.spans.filter((span) => span.name === name);
    if (found.length !== 1) throw new Error(`${found.length} spans have the name ${name}`);
    return found[0]!;
  }

  clear(): void {
    this.#exporter.reset();
  }
}

export function milliseconds([seconds, nanoseconds]: HrTime): number {
  return seconds * 1000 + nanoseconds / 1e6;
}

/** Runs something in a span of the application. */
export function inSpan<T>(name: string, action: () => Promise<T>): Promise<T> {
  return trace.getTracer('application').startActiveSpan(name, async (span) => {
    try {
      return await action();
    } finally {
      span.end();
    }
  });
}

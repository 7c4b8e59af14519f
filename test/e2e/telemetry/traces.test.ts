import { constants } from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import { context, propagation, trace } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { AlwaysOffSampler, ParentBasedSampler } from '@opentelemetry/sdk-trace';
import { describe, expect, test } from 'vitest';
import { CallSpans } from '../../../libs/grpc-lb/src/telemetry/opentelemetry/traces/call-spans.js';
import type { GrpcLbTraceOptions } from '../../../libs/grpc-lb/src/telemetry/opentelemetry/traces/trace-options.js';
import { balanced, type Balanced, call, connected, type Kind, KINDS, METHODS } from '../../support/calls/call.js';
import { SilentDiscovery } from '../../support/echo/balanced-client.js';
import { answer, answerAll, message, type RawCall, RawPeer } from '../../support/peers/raw-peer.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { inSpan, milliseconds, Tracing } from '../../support/telemetry/tracing.js';

expectNoLeaks();

type LoadBalancing = NonNullable<Parameters<typeof balanced>[1]>['loadBalancing'];

const OK = { 'grpc-status': 0 };
const SAY = 'echo.v1.Echo/Say';

const methods = Object.entries(METHODS).map(([kind, method]) => ({
  service: 'echo.v1.Echo',
  method,
  responseStream: kind === 'server streaming' || kind === 'bidi',
  requestStream: kind === 'client streaming' || kind === 'bidi',
}));

/** A client whose calls are traced. */
async function traced(
  target: string,
  options: GrpcLbTraceOptions = {},
  loadBalancing: LoadBalancing = {},
): Promise<Balanced> {
  const made = balanced(target, { methods, observer: new CallSpans(options), loadBalancing });
  await connected(made.client);
  return made;
}

function echo(): Promise<RawPeer> {
  return new RawPeer((arrived) => answerAll(arrived, { messages: [message('hello')], trailers: OK })).start();
}

/** Fails the first call, and answers the others. */
function failsOnce(code: grpc.status, details: string): Promise<RawPeer> {
  const peer: RawPeer = new RawPeer((arrived) =>
    answerAll(
      arrived,
      peer.calls.length === 1
        ? { trailers: { 'grpc-status': code, 'grpc-message': details } }
        : { messages: [message('hello')], trailers: OK },
    ),
  );
  return peer.start();
}

const peerOf = ({ port }: RawPeer) => ({ 'network.peer.address': '127.0.0.1', 'network.peer.port': port });

const ofCall = (peer: RawPeer, method = SAY) => ({
  'rpc.system.name': 'grpc',
  'rpc.method': method,
  'server.address': '127.0.0.1',
  'server.port': peer.port,
  'grpc.lb.client': 'ECHO',
  ...peerOf(peer),
});

describe('the span of a call', () => {
  test.each(KINDS)('%s: it is a child of the span in which the call was made', async (kind: Kind) => {
    const tracing = new Tracing();
    const peer = await echo();
    const { client } = await traced(peer.target);
    await inSpan('request', () => call(client, kind));
    const method = `echo.v1.Echo/${METHODS[kind]}`;
    expect(tracing.shown).toEqual([
      {
        name: method,
        kind: 'CLIENT',
        parent: 'request',
        attributes: {
          ...ofCall(peer, method),
          'rpc.status_code': 'OK',
          'grpc.lb.attempts': 1,
          'grpc.lb.ended_by': 'remote',
        },
        events: [['Pick', { 'grpc.lb.attempt': 1, ...peerOf(peer) }]],
      },
      { name: 'request', kind: 'INTERNAL', attributes: {}, events: [] },
    ]);
  });

  test('a failure of the server is an error, with the text that the server gives', async () => {
    const tracing = new Tracing();
    const peer = await failsOnce(grpc.status.NOT_FOUND, 'no order 7');
    const { client } = await traced(peer.target);
    await call(client, 'unary');
    expect(tracing.shown).toMatchObject([
      {
        status: { code: 'ERROR', message: 'no order 7' },
        attributes: { 'rpc.status_code': 'NOT_FOUND', 'error.type': 'NOT_FOUND', 'grpc.lb.ended_by': 'remote' },
      },
    ]);
  });

  test('a cancellation and a deadline end it on this side', async () => {
    const tracing = new Tracing();
    const peer = await new RawPeer(() => {}).start();
    const { client } = await traced(peer.target);
    const cancelled = call(client, 'unary', { onCall: (started) => setImmediate(() => started.cancel()) });
    await cancelled;
    await call(client, 'server streaming', { deadline: Date.now() + 50 });
    expect(tracing.shown.map(({ attributes, status }) => ({ ...attributes, ...status }))).toMatchObject([
      { 'error.type': 'CANCELLED', 'grpc.lb.ended_by': 'local', code: 'ERROR' },
      { 'error.type': 'DEADLINE_EXCEEDED', 'grpc.lb.ended_by': 'local', code: 'ERROR' },
    ]);
  });

  test('of a stream it ends when the stream does', async () => {
    const tracing = new Tracing();
    let held: RawCall | undefined;
    const peer = await new RawPeer((arrived) => {
      held = arrived;
      arrived.stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      arrived.stream.write(message('first'));
    }).start();
    const { client } = await traced(peer.target);
    let spansAtFirst: number | undefined;
    await call(client, 'server streaming', {
      onCall: (running) => {
        (running as grpc.ClientReadableStream<Buffer>).once('data', () => {
          spansAtFirst = tracing.spans.length;
          held!.stream.once('wantTrailers', () => held!.stream.sendTrailers(OK));
          held!.stream.end();
        });
      },
    });
    expect(spansAtFirst).toBe(0);
    expect(tracing.shown).toMatchObject([{ attributes: { 'rpc.status_code': 'OK' } }]);
  });

  test('a drop is an event, and the call has no attempt', async () => {
    const tracing = new Tracing();
    const discovery = new SilentDiscovery();
    const observer = new CallSpans();
    const loadBalancing = { pool: { maxPending: 1 } };
    const { client, channel } = balanced(discovery.target, { methods, observer, loadBalancing });
    const waiting = call(client, 'unary');
    await call(client, 'unary');
    expect(tracing.shown).toMatchObject([
      {
        attributes: { 'rpc.status_code': 'RESOURCE_EXHAUSTED', 'grpc.lb.attempts': 0 },
        events: [['Drop', { 'rpc.status_code': 'RESOURCE_EXHAUSTED' }]],
      },
    ]);
    channel.close();
    await waiting;
  });

  test('a wait is an event with its reason and its time', async () => {
    const tracing = new Tracing();
    const peer = await echo();
    const discovery = new SilentDiscovery();
    const { client } = balanced(discovery.target, { observer: new CallSpans() });
    const running = call(client, 'unary');
    setTimeout(() => discovery.setEndpoints([{ address: { host: '127.0.0.1', port: peer.port } }]), 20);
    await running;
    const wait = { 'grpc.lb.attempt': 1, 'grpc.lb.wait_reason': 'connection', 'grpc.lb.wait_ms': expect.any(Number) };
    expect(tracing.shown[0]!.events).toEqual([
      ['Wait', { 'grpc.lb.wait_reason': 'discovery' }],
      ['Wait', { 'grpc.lb.wait_reason': 'connection' }],
      ['Delayed LB pick complete', wait],
      ['Pick', { 'grpc.lb.attempt': 1, ...peerOf(peer) }],
    ]);
  });

  test('a call that ends while it waits tells what it waited for', async () => {
    const tracing = new Tracing();
    const { client } = balanced(new SilentDiscovery().target, { observer: new CallSpans() });
    await call(client, 'unary', { onCall: (started) => setImmediate(() => started.cancel()) });
    expect(tracing.shown).toMatchObject([{ events: [['Wait', { 'grpc.lb.wait_reason': 'discovery' }]] }]);
  });

  test('of a method that the client does not declare has the name of the system', async () => {
    const tracing = new Tracing();
    const peer = await echo();
    const { client } = balanced(peer.target, { observer: new CallSpans() });
    await call(client, 'unary');
    expect(tracing.shown).toMatchObject([
      { name: 'grpc', attributes: { 'rpc.method': '_OTHER', 'rpc.method_original': SAY, 'server.port': peer.port } },
    ]);
  });

  test('each message is an event if that is wanted, up to 64', async () => {
    const tracing = new Tracing();
    const messages = Array.from({ length: 100 }, () => message('hello'));
    const peer = await new RawPeer((arrived) => answerAll(arrived, { messages, trailers: OK })).start();
    const { client } = await traced(peer.target, { messageEvents: true });
    await call(client, 'server streaming');
    const { events } = tracing.shown[0]!;
    expect(events.slice(0, 4)).toEqual([
      ['Pick', expect.anything()],
      ['Outbound message', { 'sequence-number': 0, 'message-size': 3, 'grpc.lb.attempt': 1 }],
      ['Inbound message', { 'sequence-number': 0, 'message-size': 5, 'grpc.lb.attempt': 1 }],
      ['Inbound message', { 'sequence-number': 1, 'message-size': 5, 'grpc.lb.attempt': 1 }],
    ]);
    expect(events).toHaveLength(1 + 64);
  });
});

describe('the spans of attempts', () => {
  test('a retry: both are children of the call, with the times that they had', async () => {
    const tracing = new Tracing();
    const peer = await failsOnce(grpc.status.UNAVAILABLE, 'not yet');
    const { client } = await traced(peer.target, {}, { retry: { maxAttempts: 2, initialBackoff: 20 } });
    await call(client, 'unary');
    const attempt = (number: number, kind: string) => ({
      ...peerOf(peer),
      'grpc.lb.attempt': number,
      'grpc.lb.attempt.kind': kind,
      'previous-rpc-attempts': number - 1,
      'transparent-retry': false,
      'grpc.lb.ended_by': 'remote',
    });
    const common = { name: 'Attempt.echo.v1.Echo.Say', kind: 'INTERNAL', parent: SAY, events: [] };
    const error = { 'rpc.status_code': 'UNAVAILABLE', 'error.type': 'UNAVAILABLE' };
    expect(tracing.shown).toEqual([
      { ...common, attributes: { ...attempt(1, 'first'), ...error }, status: { code: 'ERROR', message: 'not yet' } },
      { ...common, attributes: { ...attempt(2, 'retry'), 'rpc.status_code': 'OK' } },
      {
        name: SAY,
        kind: 'CLIENT',
        attributes: {
          ...ofCall(peer),
          'rpc.status_code': 'OK',
          'grpc.lb.attempts': 2,
          'grpc.lb.ended_by': 'remote',
        },
        events: [
          ['Pick', { 'grpc.lb.attempt': 1, ...peerOf(peer) }],
          ['Retry', { 'grpc.lb.attempt': 2 }],
          ['Pick', { 'grpc.lb.attempt': 2, ...peerOf(peer) }],
        ],
      },
    ]);
    const [first, second, whole] = tracing.spans.map(({ startTime, endTime }) =>
      [startTime, endTime].map(milliseconds),
    );
    expect([whole![0], first![0], first![1], second![0], second![1], whole![1]]).toEqual(
      [whole![0], first![0], first![1], second![0], second![1], whole![1]].toSorted((a, b) => a! - b!),
    );
    // The backoff of 20 ms, ± 20 %; timers may be early by one.
    expect(second![0]! - first![1]!).toBeGreaterThanOrEqual(15);
  });

  test('a hedge: the loser is not an error', async () => {
    const tracing = new Tracing();
    let held: RawCall | undefined;
    const handle = (arrived: RawCall): void => {
      if (held) answer(arrived, { messages: [message('hello')], trailers: OK });
      else held = arrived;
    };
    const peers = await Promise.all([new RawPeer(handle).start(), new RawPeer(handle).start()]);
    const target = `static:///${peers.map(({ address }) => address).join(',')}`;
    const hedge = { maxAttempts: 2, delay: 10, methods: { Say: {} } };
    const { client, channel } = await traced(target, {}, { hedge });
    await expect.poll(() => channel.snapshot().endpoints.map(({ state }) => state)).toEqual(['ready', 'ready']);
    await call(client, 'unary');
    const [loser, winner, whole] = tracing.shown;
    expect(loser).toMatchObject({ attributes: { 'grpc.lb.attempt': 1, 'rpc.status_code': 'CANCELLED' } });
    expect(loser).not.toHaveProperty('status');
    expect(winner).toMatchObject({ attributes: { 'grpc.lb.attempt.kind': 'hedge', 'rpc.status_code': 'OK' } });
    expect(whole!.events.map(([name]) => name)).toEqual(['Pick', 'Hedge', 'Pick']);
    // Several endpoints: no single address would be right.
    expect(whole!.attributes).toMatchObject({ 'server.address': target });
    expect(whole!.attributes).not.toHaveProperty('server.port');
  });

  test('a transparent retry does not count as a previous attempt', async () => {
    const tracing = new Tracing();
    const refuseFirst = (arrived: RawCall): void => {
      if (peers.reduce((sum, { calls }) => sum + calls.length, 0) === 1)
        arrived.stream.close(constants.NGHTTP2_REFUSED_STREAM);
      else answer(arrived, { messages: [message('hello')], trailers: OK });
    };
    const peers = await Promise.all([new RawPeer(refuseFirst).start(), new RawPeer(refuseFirst).start()]);
    const { client } = await traced(`static:///${peers.map(({ address }) => address).join(',')}`);
    await call(client, 'unary');
    expect(tracing.shown.map(({ attributes }) => attributes)).toMatchObject([
      { 'previous-rpc-attempts': 0, 'transparent-retry': false },
      { 'previous-rpc-attempts': 1, 'transparent-retry': true },
      { 'grpc.lb.attempts': 2 },
    ]);
  });

  test('always: also of a call with one attempt', async () => {
    const tracing = new Tracing();
    const peer = await echo();
    const { client } = await traced(peer.target, { attempts: 'always' });
    await call(client, 'unary');
    expect(tracing.shown.map(({ name, parent }) => [name, parent])).toEqual([
      ['Attempt.echo.v1.Echo.Say', SAY],
      [SAY, undefined],
    ]);
  });
});

describe('the context', () => {
  test('goes to the server with each attempt, with the baggage, and not into the metadata of the caller', async () => {
    const tracing = new Tracing();
    const peer = await failsOnce(grpc.status.UNAVAILABLE, 'not yet');
    const { client } = await traced(peer.target, {}, { retry: { maxAttempts: 2, initialBackoff: 1 } });
    const baggage = propagation.createBaggage({ tenant: { value: 'seven' } });
    const metadata = new grpc.Metadata();
    await context.with(propagation.setBaggage(context.active(), baggage), () => call(client, 'unary', { metadata }));
    const { traceId, spanId } = tracing.named(SAY).spanContext();
    expect(peer.calls.map(({ headers }) => [headers['traceparent'], headers['baggage']])).toEqual([
      [`00-${traceId}-${spanId}-01`, 'tenant=seven'],
      [`00-${traceId}-${spanId}-01`, 'tenant=seven'],
    ]);
    expect(metadata.getMap()).toEqual({});
  });

  test('of many calls at once: each span is a child of its own caller', async () => {
    const tracing = new Tracing();
    const peer = await echo();
    const { client } = await traced(peer.target);
    const callers = Array.from({ length: 50 }, (_, i) =>
      inSpan(`request ${i}`, async () => {
        if (i % 2 === 0) await new Promise(setImmediate);
        await call(client, KINDS[i % 4]!);
        return trace.getActiveSpan()!.spanContext().spanId;
      }),
    );
    const parents = await Promise.all(callers);
    const children = tracing.spans.filter(({ name }) => name.startsWith('echo.'));
    expect(children.map(({ parentSpanContext }) => parentSpanContext!.spanId).toSorted()).toEqual(parents.toSorted());
    // The trace that the server gets is the one of the caller.
    const sent = peer.calls.map(({ headers }) => String(headers['traceparent']).split('-')[2]!);
    expect(sent.toSorted()).toEqual(children.map((span) => span.spanContext().spanId).toSorted());
  });

  test('of an unsampled parent says so to the server, and nothing is recorded', async () => {
    const tracing = new Tracing(new ParentBasedSampler({ root: new AlwaysOffSampler() }));
    const peer = await echo();
    const { client } = await traced(peer.target);
    await inSpan('request', () => call(client, 'unary'));
    expect(tracing.spans).toEqual([]);
    expect(peer.calls[0]!.headers['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  });

  test('where tracing is suppressed there is no span, and no header', async () => {
    const tracing = new Tracing();
    const peer = await echo();
    const { client } = await traced(peer.target);
    await context.with(suppressTracing(context.active()), () => call(client, 'unary'));
    expect(tracing.spans).toEqual([]);
    expect(peer.calls[0]!.headers).not.toHaveProperty('traceparent');
  });

  test('an SDK that is registered after the client is used', async () => {
    const peer = await echo();
    const { client } = await traced(peer.target);
    await call(client, 'unary');
    expect(peer.calls[0]!.headers).not.toHaveProperty('traceparent');
    const tracing = new Tracing();
    await call(client, 'unary');
    expect(tracing.spans.map(({ name }) => name)).toEqual([SAY]);
  });
});

test('faulty options are refused, all at once', () => {
  const options = { attempts: 'never', messageEvents: 1, tracerProvider: {}, atempts: 1 } as object;
  expect(() => new CallSpans(options)).toThrow(
    /attempts is "never".*messageEvents is 1.*tracerProvider is \{\}; use the TracerProvider.*atempts is not an option/s,
  );
});

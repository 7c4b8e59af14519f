import { Metadata, status as Status, type StatusObject } from '@grpc/grpc-js';
import type { GrpcLbCallOptions } from 'nestjs-grpc-lb';
import { NEVER, type Observable, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Line } from '../../support/echo/cluster.js';
import type { EchoStub } from '../../support/nest/app.js';
import { failure, metadataOf, ScriptedBackend, type Script } from '../../support/nest/backend.js';
import { connect, WAYS } from '../../support/nest/both-ways.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

const HEADERS = metadataOf({ 'x-served-by': 'seven' });
const TRAILERS = metadataOf({ 'x-cost': '3' });

const ANSWERING: Script = {
  say: (call, done) => {
    call.sendMetadata(HEADERS);
    done(null, { text: 'hello' }, TRAILERS);
  },
  join: (call, done) => {
    call.sendMetadata(HEADERS);
    call.on('data', () => {}).on('end', () => done(null, { text: 'hello' }, TRAILERS));
  },
  repeat: (call) => {
    call.sendMetadata(HEADERS);
    call.write({ text: 'hello' });
    call.end(TRAILERS);
  },
  talk: (call) => {
    call.sendMetadata(HEADERS);
    call.write({ text: 'hello' });
    call.on('data', () => {}).on('end', () => call.end(TRAILERS));
  },
};
const error = failure(Status.FAILED_PRECONDITION, 'the box is shut', { 'x-cost': '4' });
const FAILING: Script = {
  say: (_call, done) => done(error),
  join: (_call, done) => done(error),
  repeat: (call) => call.emit('error', error),
  talk: (call) => call.emit('error', error),
};
const SILENT: Script = { say: () => {}, join: () => {}, repeat: () => {}, talk: () => {} };

const KINDS: Record<keyof Script, (echo: EchoStub, options: GrpcLbCallOptions) => Observable<Line>> = {
  say: (echo, options) => echo.say({ text: 'x' }, options),
  repeat: (echo, options) => echo.repeat({ text: 'x' }, options),
  join: (echo, options) => echo.join(of({ text: 'x' }), options),
  talk: (echo, options) => echo.talk(of({ text: 'x' }), options),
};
const KIND_NAMES = Object.keys(KINDS) as (keyof Script)[];

/** What the caller is told, in its order. */
function listen(call: (options: GrpcLbCallOptions) => Observable<Line>): Promise<unknown[]> {
  const told: unknown[] = [];
  return new Promise((resolve) => {
    const onMetadata = (metadata: Metadata): unknown => told.push(['headers', metadata.get('x-served-by')]);
    const onStatus = ({ code, details, metadata }: StatusObject): unknown =>
      told.push(['status', Status[code], details, metadata.get('x-cost')]);
    const end = (what: string): void => {
      told.push(what);
      // Nothing follows.
      setImmediate(() => resolve(told));
    };
    call({ onMetadata, onStatus }).subscribe({
      next: ({ text }) => told.push(text),
      error: ({ code }: { code: Status }) => end(`error ${Status[code]}`),
      complete: () => end('complete'),
    });
  });
}

describe.each(WAYS)('%s', (_, more) => {
  async function play(script: Script): Promise<EchoStub> {
    const backend = await new ScriptedBackend(script).start();
    return connect(backend.target, more);
  }

  it.each(KIND_NAMES)(
    'onMetadata gets the response headers, onStatus the trailers, before the end: %s',
    async (kind) => {
      const echo = await play(ANSWERING);
      const told = await listen((options) => KINDS[kind](echo, options));
      const status = ['status', 'OK', 'OK', ['3']];
      // A single response is only known to be the only one when the status has come.
      const rest = kind === 'say' || kind === 'join' ? [status, 'hello'] : ['hello', status];
      expect(told).toEqual([['headers', ['seven']], ...rest, 'complete']);
    },
  );

  it.each(KIND_NAMES)('onStatus also gets the status of a call that fails, before its error: %s', async (kind) => {
    const echo = await play(FAILING);
    const told = await listen((options) => KINDS[kind](echo, options));
    expect(told.filter((each) => !String(each).startsWith('headers'))).toEqual([
      ['status', 'FAILED_PRECONDITION', 'the box is shut', ['4']],
      'error FAILED_PRECONDITION',
    ]);
  });

  it.each(KIND_NAMES)('onStatus gets what ends a call on this side: %s', async (kind) => {
    const echo = await play(SILENT);
    const told = await listen((options) => KINDS[kind](echo, { ...options, timeout: 30 }));
    expect(told).toEqual([
      ['status', 'DEADLINE_EXCEEDED', expect.stringContaining('Deadline exceeded'), []],
      'error DEADLINE_EXCEEDED',
    ]);
  });

  it('onStatus gets a failure to serialize the request', async () => {
    const echo = await play(ANSWERING);
    const circular: Record<string, unknown> = {};
    circular['text'] = {
      toString: () => {
        throw new Error('no text');
      },
    };
    const told = await listen((options) => echo.say(circular, options));
    expect(told).toEqual([
      ['status', 'INTERNAL', expect.stringContaining('Request message serialization failure: '), []],
      'error INTERNAL',
    ]);
  });

  it.each(KIND_NAMES)(
    'nothing is told after the caller has unsubscribed, except the status of the canceled call: %s',
    async (kind) => {
      const echo = await play(SILENT);
      const told: string[] = [];
      const request = kind === 'join' || kind === 'talk' ? NEVER : {};
      const stub = echo as unknown as Record<
        string,
        (request: unknown, options: GrpcLbCallOptions) => Observable<Line>
      >;
      const ended = new Promise<void>((resolve) => {
        const options: GrpcLbCallOptions = {
          onMetadata: () => told.push('headers'),
          onStatus: ({ code }) => {
            told.push(Status[code]);
            resolve();
          },
        };
        stub[kind]!(request, options)
          .subscribe({ error: () => told.push('error') })
          .unsubscribe();
      });
      await ended;
      expect(told).toEqual(['CANCELLED']);
    },
  );
});

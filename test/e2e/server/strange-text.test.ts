import * as grpc from '@grpc/grpc-js';
import { Catch, Controller, type RpcExceptionFilter, UseFilters } from '@nestjs/common';
import { GrpcMethod, GrpcStreamMethod, RpcException } from '@nestjs/microservices';
import { concat, NEVER, type Observable, of, throwError } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { call, KINDS } from '../../support/calls/call.js';
import { deferred } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { echoClient, say, startEcho } from '../../support/server/app.js';

expectNoLeaks();

test('an error whose text was cut within an emoji ends its call, not the process', async () => {
  const { address, handlers } = await startEcho();
  const client = echoClient(address, grpc.credentials.createInsecure());
  const notFound = (text: string): RpcException =>
    new RpcException({ code: grpc.status.NOT_FOUND, message: `no line "${text.slice(0, 5)}"` });
  handlers.say = ({ text }) => {
    throw notFound(text);
  };
  handlers.repeat = ({ text }) => throwError(() => notFound(text));
  // Five characters of JavaScript end within it.
  const line = Buffer.concat([Buffer.from([0x0a, 8]), Buffer.from('four\u{1F600}')]);
  for (const kind of ['unary', 'server streaming'] as const)
    expect(await call(client, kind, { requests: [line] })).toMatchObject({
      code: grpc.status.NOT_FOUND,
      details: 'no line "four\uFFFD"',
    });
  handlers.say = (each) => each;
  expect(await say(client, 'still here')).toMatchObject({ text: 'still here' });
});

describe('an error that is no object fails its call, not the process', () => {
  /** As in Nest's documentation. */
  @Catch(RpcException)
  class ExceptionFilter implements RpcExceptionFilter<RpcException> {
    catch(exception: RpcException): Observable<never> {
      return throwError(() => exception.getError());
    }
  }
  let thrown: unknown;
  const fails = (): never => {
    throw new RpcException(thrown as string);
  };

  @UseFilters(new ExceptionFilter())
  @Controller()
  class EchoController {
    @GrpcMethod('Echo', 'Say')
    say(): unknown {
      return fails();
    }
    @GrpcMethod('Echo', 'Repeat')
    repeat(): unknown {
      return fails();
    }
    @GrpcStreamMethod('Echo', 'Join')
    join(): unknown {
      return fails();
    }
    @GrpcStreamMethod('Echo', 'Talk')
    talk(): unknown {
      return fails();
    }
  }

  test.each<[unknown, string]>([
    ['Invalid credentials.', 'Invalid credentials.'],
    [7, '7'],
    [{ code: grpc.status.NOT_FOUND, message: 'no order' }, 'no order'],
  ])('%j', async (given, details) => {
    thrown = given;
    const { address } = await startEcho({}, { controller: EchoController });
    const client = echoClient(address, grpc.credentials.createInsecure());
    const code = typeof given === 'object' ? grpc.status.NOT_FOUND : grpc.status.UNKNOWN;
    for (const kind of KINDS) expect(await call(client, kind, { requests: [''] })).toMatchObject({ code, details });
  });

  test('undefined, of a stream', async () => {
    const { address, handlers } = await startEcho();
    handlers.repeat = (_line, running) => {
      setImmediate(() => running.emit('error', undefined));
      return NEVER;
    };
    const client = echoClient(address, grpc.credentials.createInsecure());
    expect(await call(client, 'server streaming', { requests: [''] })).toMatchObject({
      code: grpc.status.UNKNOWN,
      details: 'undefined',
    });
  });
});

describe('what HTTP/2 cannot carry ends neither the process nor the other calls of the connection', () => {
  const metadataOf = (key: string, value: string): grpc.Metadata => {
    const metadata = new grpc.Metadata();
    metadata.set(key, value);
    return metadata;
  };
  const error = (message: string, metadata?: grpc.Metadata): RpcException =>
    new RpcException({ code: grpc.status.NOT_FOUND, message, ...(metadata && { metadata }) });

  test.each<[string, RpcException, grpc.status, RegExp]>([
    ['a long text', error('x'.repeat(100_000)), grpc.status.NOT_FOUND, /^x+\.\.\. \(100000 characters\)$/],
    ['a header of HTTP/1.1', error('no', metadataOf('connection', 'close')), grpc.status.NOT_FOUND, /^no$/],
    ['metadata of another library', error('no', new Headers({ a: '1' }) as never), grpc.status.NOT_FOUND, /^no$/],
    ['a name with a colon', error('no', metadataOf('a:b', '1')), grpc.status.INTERNAL, /metadata "a:b"/],
    ['a list of texts', error(['is short', 'four\uD83D'] as never), grpc.status.NOT_FOUND, /^is short,four\uFFFD$/],
    ['an object', error(Object.create(null) as never), grpc.status.NOT_FOUND, /^an error without a message$/],
  ])('%s', async (_, thrown, code, details) => {
    const { address, handlers } = await startEcho();
    const client = echoClient(address, grpc.credentials.createInsecure());
    const [arrived, answer] = [deferred(), deferred()];
    handlers.say = async (line) => {
      if (line.text !== 'slow') throw thrown;
      arrived.resolve();
      await answer.promise;
      return line;
    };
    handlers.repeat = () =>
      concat(
        of({ text: 'first' }),
        throwError(() => thrown),
      );
    const slow = say(client, 'slow');
    await arrived.promise;
    for (const kind of ['unary', 'server streaming'] as const) {
      const result = await call(client, kind, { requests: [''] });
      expect(result).toMatchObject({ code, details: expect.stringMatching(details) });
    }
    answer.resolve();
    expect((await slow).text).toBe('slow');
  });

  test.each<[string, grpc.Metadata, grpc.status, RegExp]>([
    ['a header of HTTP/1.1', metadataOf('connection', 'close'), grpc.status.OK, /^OK$/],
    ['metadata of another library', new Headers({ a: '1' }) as never, grpc.status.OK, /^OK$/],
    ['a name with a colon', metadataOf('a:b', '1'), grpc.status.INTERNAL, /cannot send its metadata "a:b"/],
    ['too much of it', metadataOf('own', 'x'.repeat(70_000)), grpc.status.INTERNAL, /the largest is "own"/],
  ])('%s in response headers', async (_, headers, code, details) => {
    const { address, handlers } = await startEcho();
    const client = echoClient(address, grpc.credentials.createInsecure());
    handlers.say = (line, running) => {
      if (line.text !== 'slow') running.sendMetadata(headers);
      return line;
    };
    handlers.repeat = (line, running) => {
      running.sendMetadata(headers);
      return of(line);
    };
    for (const kind of ['unary', 'server streaming'] as const) {
      const result = await call(client, kind, { requests: [''] });
      expect(result).toMatchObject({ code, details: expect.stringMatching(details) });
    }
    expect((await say(client, 'slow')).text).toBe('slow');
  });
});

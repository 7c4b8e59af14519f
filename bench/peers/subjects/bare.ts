import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import { once } from 'node:events';
import type { MethodDefinition } from '@grpc/grpc-js';
import type { RunSpec } from '../run-spec.js';
import { echoMethods, framed, FrameReader } from './messages.js';
import type { Subject } from './subject.js';

/**
 * The bound: gRPC calls on `node:http2`, one session for each backend in turn, with nothing else. No client of Node's
 * HTTP/2 can cost less.
 */
export async function bare({ proto, addresses }: RunSpec): Promise<Subject> {
  const methods = echoMethods(proto);
  const sessions = await Promise.all(
    addresses.map(async (address) => {
      const session = connect(`http://${address}`);
      await once(session, 'connect');
      return session;
    }),
  );
  let turn = 0;
  const call = <I, O>(method: MethodDefinition<I, O>, request: I): Promise<number> =>
    callOn(sessions[turn++ % sessions.length]!, method, request);
  return {
    say: async (text) => void (await call(methods.say, { text })),
    repeat: (text, times) => call(methods.repeat, { text, times }),
    close: async () => sessions.forEach((session) => session.close()),
  };
}

function callOn<I, O>(session: ClientHttp2Session, method: MethodDefinition<I, O>, request: I): Promise<number> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': method.path,
      te: 'trailers',
      'content-type': 'application/grpc',
    });
    const reader = new FrameReader();
    let count = 0;
    let status: unknown;
    const onMessage = (message: Buffer): void => {
      method.responseDeserialize(message);
      count++;
    };
    stream.on('data', (chunk: Buffer) => reader.read(chunk, onMessage));
    stream.on('trailers', (trailers: IncomingHttpHeaders) => (status = trailers['grpc-status']));
    stream.on('error', reject);
    stream.on('end', () => (status === '0' ? resolve(count) : reject(new Error(`status ${String(status)}`))));
    stream.end(framed(method.requestSerialize(request)));
  });
}

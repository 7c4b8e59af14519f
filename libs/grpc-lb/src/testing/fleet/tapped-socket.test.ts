import { once } from 'node:events';
import { connect, createServer, type ServerHttp2Stream } from 'node:http2';
import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { TappedSocket } from './tapped-socket.js';

/** One end of a connection in memory. */
class End extends Duplex {
  peer!: End;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.peer.push(chunk);
    done();
  }

  /** Never done, so that whoever ends it is in the middle of that. */
  override _final(): void {
    this.peer.push(null);
  }
}

test('a stream can be reset after its client has ended the connection', async () => {
  const [near, far] = [new End(), new End()];
  [near.peer, far.peer] = [far, near];
  const server = createServer();
  const streams = once(server, 'stream');
  server.emit('connection', new TappedSocket(far, () => {}));
  const session = connect('http://backend', { createConnection: () => near });
  session.on('error', () => {});
  session.request().on('error', () => {});
  const [stream] = (await streams) as [ServerHttp2Stream];
  const closed = once(stream, 'close');
  far.once('end', () => setImmediate(() => stream.close()));
  near.end();
  await closed;
  expect(stream.session?.destroyed ?? true).toBe(true);
  session.destroy();
});

/**
 * Four echo backends in one process, away from the client whose CPU is measured. Tells their addresses.
 *
 * They are bare HTTP/2, and send the headers that a server of grpc-js sends. A stream is written in chunks as large as
 * the flow control window: behind a slower server a client would read its messages one by one, and what that costs
 * depends on how the machine is scheduled.
 */
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { pageOfOrders } from './generated/orders.js';
import { echoMethods, framed, FrameReader } from './subjects/messages.js';

const CHUNK_BYTES = 64 * 1024;
const { repeat } = echoMethods(process.argv[2]!);
const { path, page } = pageOfOrders();
const framedPage = framed(page);

function respond(stream: ServerHttp2Stream): void {
  stream.on('error', () => {});
  stream.respond(
    {
      ':status': 200,
      'grpc-accept-encoding': 'identity,deflate,gzip',
      'grpc-encoding': 'identity',
      'content-type': 'application/grpc+proto',
    },
    { waitForTrailers: true },
  );
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'grpc-message': 'OK' }));
}

/** Sends the line as often as it says, no faster than the client reads. */
function repeatTo(stream: ServerHttp2Stream, request: Buffer): void {
  const { text, times = 0 } = repeat.responseDeserialize(request);
  const frame = framed(repeat.requestSerialize({ text }));
  const perChunk = Math.max(1, Math.floor(CHUNK_BYTES / frame.length));
  const chunk = Buffer.concat(Array<Buffer>(perChunk).fill(frame));
  let left = times;
  const write = (): void => {
    while (left > 0) {
      const count = Math.min(left, perChunk);
      left -= count;
      if (!stream.write(chunk.subarray(0, count * frame.length))) return void stream.once('drain', write);
    }
    stream.end();
  };
  write();
}

const addresses: string[] = [];
for (let i = 0; i < 4; i++) {
  const server = createServer();
  server.on('stream', (stream, headers) => {
    respond(stream);
    const reader = new FrameReader();
    const answer = (message: Buffer): void => {
      if (headers[':path'] === repeat.path) repeatTo(stream, message);
      else if (headers[':path'] === path) stream.end(framedPage);
      else stream.end(framed(message));
    };
    stream.on('data', (chunk: Buffer) => reader.read(chunk, answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  addresses.push(`127.0.0.1:${(server.address() as AddressInfo).port}`);
}
process.send!({ type: 'listening', addresses });
process.on('disconnect', () => process.exit());

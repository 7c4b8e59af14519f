import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import * as grpc from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { balanced, call, KINDS, slowInterceptor, stock } from '../../support/calls/call.js';
import { answer, message, type RawCall, RawPeer, requestsOf } from '../../support/peers/raw-peer.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

const ALGORITHMS = {
  gzip: { option: grpc.compressionAlgorithms.gzip, decompress: gunzipSync, compress: gzipSync },
  deflate: { option: grpc.compressionAlgorithms.deflate, decompress: inflateSync, compress: deflateSync },
};

interface Received {
  readonly flags: number;
  readonly body: Buffer;
}

function framesIn(bytes: Buffer): Received[] {
  const frames: Received[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    frames.push({ flags: bytes[at]!, body: bytes.subarray(at + 5, end) });
    at = end;
  }
  return frames;
}

/** A peer that remembers the requests, and says which encodings it accepts. */
async function recorder(
  accepts: string,
): Promise<{ peer: RawPeer; received: { encoding: unknown; frames: Received[] }[] }> {
  const received: { encoding: unknown; frames: Received[] }[] = [];
  const peer = await new RawPeer(async (arrived: RawCall) => {
    const frames = framesIn(await requestsOf(arrived));
    received.push({ encoding: arrived.headers['grpc-encoding'], frames });
    answer(arrived, { headers: { 'grpc-accept-encoding': accepts }, messages: [message('hello')] });
  }).start();
  return { peer, received };
}

const texts = ['first first first', '', 'third '.repeat(5000)];

describe.each(Object.entries(ALGORITHMS))('%s', (encoding, { option, decompress, compress }) => {
  test.each(KINDS)('requests are compressed, and arrive in order: %s', async (kind) => {
    const { peer, received } = await recorder('identity,deflate,gzip');
    const { client } = balanced(peer.target, { channelOptions: { 'grpc.default_compression_algorithm': option } });
    for (const interceptors of [[], [slowInterceptor]]) {
      const found = await call(client, kind, { requests: texts, interceptors });
      // The header is not for the caller.
      expect(found).toMatchObject({ code: grpc.status.OK, messages: ['hello'], headers: {} });
      expect(found.headers).not.toHaveProperty('grpc-accept-encoding');
      const [{ encoding: sent, frames }] = received.splice(0) as [(typeof received)[0]];
      expect(sent).toBe(encoding);
      const many = kind === 'client streaming' || kind === 'bidi';
      expect(frames.map(({ flags }) => flags)).toEqual(many ? [1, 1, 1] : [1]);
      expect(frames.map(({ body }) => decompress(body).toString())).toEqual(many ? texts : texts.slice(0, 1));
    }
  });

  test('responses that come before an error reach a reader that keeps up, as those that are not compressed do', async () => {
    const bodies = Array.from({ length: 40 }, (_, i) => `number ${i}`);
    const peer = await new RawPeer((arrived) =>
      answer(arrived, {
        headers: { 'grpc-encoding': encoding },
        messages: bodies.map((each, i) => (i % 5 === 4 ? message(each) : message(compress(each), 1))),
        trailers: { 'grpc-status': grpc.status.ABORTED },
      }),
    ).start();
    const found = await call(balanced(peer.target).client, 'server streaming');
    expect(found).toMatchObject({ code: grpc.status.ABORTED, messages: bodies });
  });

  test('a message with the flag NoCompress goes as it is, in its turn', async () => {
    const { peer, received } = await recorder('identity,deflate,gzip');
    const { channel } = balanced(peer.target, { channelOptions: { 'grpc.default_compression_algorithm': option } });
    const running = channel.createCall('/echo.v1.Echo/Join', Infinity);
    const sent: number[] = [];
    const ended = new Promise<grpc.StatusObject>((resolve) => {
      running.start(new grpc.Metadata(), {
        onReceiveMetadata: () => {},
        onReceiveMessage: () => {},
        onReceiveStatus: resolve,
      });
    });
    const flags = [0, 2, 0, 2];
    for (const [i, flag] of flags.entries())
      running.sendMessageWithContext({ flags: flag, callback: () => sent.push(i) }, Buffer.from(`number ${i}`));
    running.halfClose();
    running.startRead();
    running.startRead();
    expect((await ended).code).toBe(grpc.status.OK);
    expect(received[0]!.frames.map(({ flags: each }) => each)).toEqual([1, 0, 1, 0]);
    expect(received[0]!.frames.map(({ flags: each, body }) => (each ? decompress(body) : body).toString())).toEqual(
      flags.map((_, i) => `number ${i}`),
    );
    expect(sent).toEqual([0, 1, 2, 3]);
  });

  test('a server that does not accept it gets it once, and then messages as they are; as with grpc-js', async () => {
    const { peer, received } = await recorder('identity');
    const options = { 'grpc.default_compression_algorithm': option };
    for (const client of [stock(peer.address, options), balanced(peer.target, { channelOptions: options }).client]) {
      for (let i = 0; i < 3; i++) await call(client, 'unary');
      expect(received.splice(0).map((each) => [each.encoding, each.frames[0]!.flags])).toEqual([
        [encoding, 1],
        [undefined, 0],
        [undefined, 0],
      ]);
    }
  });

  test.each(KINDS)('responses are decompressed, in order, before the status: %s', async (kind) => {
    const many = kind === 'server streaming' || kind === 'bidi';
    const bodies = many ? texts : texts.slice(0, 1);
    const peer = await new RawPeer((arrived) =>
      answer(arrived, {
        headers: { 'grpc-encoding': encoding },
        messages: bodies.map((body, i) => (i === 1 ? message(body) : message(compress(body), 1))),
        trailers: { 'grpc-status': 0, 'x-tail': 'last' },
      }),
    ).start();
    const { client } = balanced(peer.target);
    const found = await call(client, kind);
    expect(found).toEqual(await call(stock(peer.address), kind));
    expect(found.messages).toHaveLength(bodies.length);
    expect(found).toMatchObject({ code: grpc.status.OK, trailers: { 'x-tail': ['last'] } });
  });

  test('a small message that decompresses to more than the limit is stopped on its way', async () => {
    const bomb = message(compress(Buffer.alloc(64 << 20)), 1);
    expect(bomb.length).toBeLessThan(100_000);
    const peer = await new RawPeer((arrived) =>
      answer(arrived, { headers: { 'grpc-encoding': encoding }, messages: [bomb] }),
    ).start();
    const { client, channel } = balanced(peer.target, {
      channelOptions: { 'grpc.max_receive_message_length': 1 << 20 },
    });
    const before = process.memoryUsage().arrayBuffers;
    expect(await call(client, 'unary')).toMatchObject({
      code: grpc.status.RESOURCE_EXHAUSTED,
      details: 'Received message that decompresses to a size larger than 1048576',
      messages: [],
    });
    // A fraction of the 64 MiB.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 << 20);
    // It says nothing about the endpoint.
    expect(channel.snapshot()).toMatchObject({ inFlight: 0, pending: 0, endpoints: [{ state: 'ready' }] });
  });
});

test('an encoding that is not known, or was not announced, ends the call with INTERNAL; grpc-js ends it without a code', async () => {
  for (const encoding of ['br', undefined]) {
    const peer = await new RawPeer((arrived) =>
      answer(arrived, { headers: encoding ? { 'grpc-encoding': encoding } : {}, messages: [message('hello', 1)] }),
    ).start();
    for (const kind of KINDS) {
      const { client } = balanced(peer.target);
      expect(await call(client, kind)).toMatchObject({
        code: grpc.status.INTERNAL,
        details: encoding
          ? 'Received message compressed with unsupported compression method br'
          : 'Received compressed message but "grpc-encoding" header was identity',
        messages: [],
      });
    }
  }
});

test('an invalid algorithm sends messages as they are', async () => {
  const { peer, received } = await recorder('identity,deflate,gzip');
  const { client } = balanced(peer.target, { channelOptions: { 'grpc.default_compression_algorithm': 99 as never } });
  await call(client, 'unary');
  expect(received).toMatchObject([{ encoding: undefined, frames: [{ flags: 0 }] }]);
});

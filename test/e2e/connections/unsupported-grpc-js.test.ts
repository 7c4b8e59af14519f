import { createRequire } from 'node:module';
import { Metadata, status as Status } from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { startBackend } from '../../support/echo/backends.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

type CreateCall = (metadata: Metadata, host: string, method: string, listener: object) => object;

/** The class of connections, which grpc-js does not export. */
const { prototype } = (
  createRequire(import.meta.url)('@grpc/grpc-js/build/src/subchannel.js') as {
    Subchannel: { prototype: { createCall: CreateCall | undefined } };
  }
).Subchannel;
const original = prototype.createCall!;

afterEach(() => {
  prototype.createCall = original;
});

/** A call through a grpc-js with this `createCall`: its error, and whether a message has reached the server. */
async function callThrough(createCall: CreateCall | undefined) {
  prototype.createCall = createCall;
  const server = await startBackend();
  const client = new BalancedClient({ target: `static:///${server.address}`, loadBalancing: { retry: {} } });
  const error: unknown = await client.say().catch((thrown: unknown) => thrown);
  return { error, served: server.calls, inFlight: client.snapshot.inFlight };
}

test.each<[string, CreateCall, RegExp]>([
  [
    'takes its headers from elsewhere',
    function (this: object, metadata, ...rest) {
      const copy = new Metadata();
      copy.merge(metadata);
      return original.call(this, copy, ...rest);
    },
    /needs @grpc\/grpc-js \^1\.14\.0: .* takes the headers of a call from elsewhere than Metadata\.toHttp2Headers/,
  ],
  [
    'takes no headers',
    function (this: object, _metadata, ...rest) {
      return original.call(this, new Metadata(), ...rest);
    },
    /needs @grpc\/grpc-js \^1\.14\.0: .* does not ask Metadata\.toHttp2Headers for the headers of a call/,
  ],
  [
    'has other parameters',
    function (this: object, metadata) {
      return original.call(this, (metadata as unknown as { metadata: Metadata }).metadata, '', '', {});
    },
    /has another Subchannel\.createCall than \(metadata, host, method, listener\)/,
  ],
  [
    'returns another kind of stream',
    function (this: object, ...args) {
      const stream = original.apply(this, args) as { cancelWithStatus(...status: unknown[]): void };
      return { cancelWithStatus: stream.cancelWithStatus.bind(stream) };
    },
    /lacks SubchannelCall\.getAuthContext, SubchannelCall\.getPeer, SubchannelCall\.halfClose/,
  ],
])('a call through a grpc-js that %s fails with the reason, and is not sent', async (_, createCall, reason) => {
  const { error, served, inFlight } = await callThrough(createCall);
  expect(error).toMatchObject({ code: Status.INTERNAL, details: expect.stringMatching(reason) });
  expect({ served, inFlight }).toEqual({ served: 0, inFlight: 0 });
});

test('a connection of a grpc-js that has no createCall fails with the reason', async () => {
  const { error } = await callThrough(undefined);
  expect(error).toMatchObject({
    code: Status.UNAVAILABLE,
    details: expect.stringMatching(
      /needs @grpc\/grpc-js \^1\.14\.0: the installed version lacks Subchannel\.createCall/,
    ),
  });
});

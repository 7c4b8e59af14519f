import * as grpc from '@grpc/grpc-js';
import { NEVER } from 'rxjs';
import { expect, test } from 'vitest';
import { balanced, call, connected, KINDS, stock } from '../../support/calls/call.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { startEcho } from '../../support/server/app.js';

expectNoLeaks();

const EMPTY = { requests: [''] };

test('a call that outlasts an old connection ends with UNAVAILABLE, where grpc-js says INTERNAL', async () => {
  const { address, handlers } = await startEcho({ connection: { maxAge: 1000, maxAgeGrace: 20 } });
  handlers.say = () => new Promise(() => {});
  handlers.join = handlers.talk = () => NEVER;
  const { client } = balanced(`static:///${address}`);
  const theirs = stock(address);
  await Promise.all([connected(client), connected(theirs)]);
  const others = KINDS.map((kind) => call(theirs, kind, EMPTY));
  const ours = await Promise.all(KINDS.map((kind) => call(client, kind, EMPTY)));
  expect(ours.map(({ code }) => grpc.status[code])).toEqual(KINDS.map(() => 'UNAVAILABLE'));
  // The last of them may hear of the connection first.
  expect(await Promise.all(others)).toContainEqual(
    expect.objectContaining({
      code: grpc.status.INTERNAL,
      details: 'Received RST_STREAM with code 0 (Call ended without gRPC status)',
    }),
  );
});

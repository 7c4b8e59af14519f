import * as grpc from '@grpc/grpc-js';
import { RpcException } from '@nestjs/microservices';
import { throwError } from 'rxjs';
import { expect, test } from 'vitest';
import { call } from '../../support/calls/call.js';
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

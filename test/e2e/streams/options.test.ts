import { GrpcLbClient, GrpcLbModule, GrpcService, iterate, Resumable, resumable } from 'nestjs-grpc-lb';
import { describe, expect, test } from 'vitest';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { echoOptions, type EchoService, type EchoStub, startApp, startError } from '../../support/nest/app.js';
import { startFeed } from '../../support/streams/feed.js';
import { feedTarget, Subscriber, upTo } from '../../support/streams/subscriber.js';

expectNoLeaks();

const rules = {
  method: 'repeat',
  token: ({ text }: { text: string }) => text,
  resume: (request: object, token: string) => ({ ...request, text: token }),
} as const;

/** The faults of a client with this option. */
async function faultsOf(option: unknown): Promise<string[]> {
  const options = echoOptions('127.0.0.1:1', { resumable: option as never });
  const imports = [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([{ name: 'FEED', options }])];
  const { message } = await startError({ imports });
  return message
    .split('\n')
    .slice(1)
    .map((line) => line.trim());
}

test('a decorated class: its stream goes on when the backend is killed, also one message at a time', async () => {
  const { feed, servers } = await startFeed(2);
  @GrpcLbClient({ ...echoOptions(feedTarget(servers)), service: 'Echo' })
  @Resumable<EchoService, string>(rules)
  class FeedClient extends GrpcService<EchoService>() {}
  const app = await startApp({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([FeedClient])] });
  const client = app.get<EchoStub>(FeedClient as never);
  const subscriber = new Subscriber(client.repeat({ text: '' }));
  const messages = iterate(client.repeat({ text: '' }));
  const texts: string[] = [];
  const pull = async (): Promise<unknown> => texts.push(((await messages.next()).value as { text: string }).text);
  feed.append(3);
  await subscriber.seen(3);
  await pull();
  for (const server of servers) {
    await server.kill();
    await server.start();
  }
  feed.append(3);
  await subscriber.seen(6);
  for (let i = 0; i < 5; i++) await pull();
  expect(subscriber.numbers).toEqual(upTo(6));
  expect(texts.map(Number)).toEqual(upTo(6));
  await messages.return!();
});

describe('the option is refused', () => {
  test.each([
    ['another value', 'repeat', '- resumable is "repeat"; use an array, as in [resumable({ method, ... })]'],
    [
      'without functions',
      [{ method: 'repeat', token: 'text' }],
      '- resumable[0].token is "text"; use a function',
      '- resumable[0].resume is missing',
    ],
    [
      'a method that is not there',
      [{ ...rules, method: 'Repaet' }],
      '- resumable[0].method is "Repaet", which is not a method of the client\'s services; did you mean "Repeat"?; they have Say, Repeat, Join, Talk, Look',
    ],
    [
      'a method with one response',
      [{ ...rules, method: 'Say' }],
      '- resumable[0].method is "Say", which has one response; only streams of responses can resume',
    ],
    [
      'a method with a stream of requests, without replay',
      [{ ...rules, method: 'talk' }],
      '- resumable[0].replay is missing: "talk" streams its requests; say which of them a new call repeats, as in { key, acknowledged }',
    ],
    [
      'a method with one request, with replay',
      [{ ...rules, replay: { key: () => 1, acknowledged: () => 1 } }],
      '- resumable[0].replay is for methods that stream their requests, and "repeat" has one request; remove it',
    ],
    ['a method twice', [rules, { ...rules, method: 'Repeat' }], '- resumable[1].method is "Repeat" a second time'],
    [
      'wrong values',
      [
        {
          ...rules,
          dedupe: true,
          gapStatusCodes: ['TOO_OLD'],
          resumableStatusCodes: ['UNAVAILABLE', 'DEADLINE_EXCEEDED'],
          maxAttempts: -1,
          initialBackoff: 0,
          handover: { timeout: '5s' },
          replay: { key: 'text', cumulative: 1, maxPending: 0, maxPendingBytes: 2 ** 31 },
          repeat: true,
        },
      ],
      '- resumable[0].dedupe is true; use a function that returns the identity of a message, or false',
      expect.stringMatching(/^- resumable\[0\]\.gapStatusCodes\[0\] is "TOO_OLD"; use one of UNKNOWN, /) as string,
      '- resumable[0].resumableStatusCodes has DEADLINE_EXCEEDED, but a deadline is that of the whole subscription; remove it',
      '- resumable[0].maxAttempts is -1; use a whole number from 0, or Infinity',
      '- resumable[0].initialBackoff is 0; use a whole number from 1 to 60000 (milliseconds)',
      '- resumable[0].handover.timeout is "5s"; use a whole number from 1 to 600000 (milliseconds)',
      '- resumable[0].replay.key is "text"; use a function',
      '- resumable[0].replay.cumulative is 1; use true or false',
      '- resumable[0].replay.maxPending is 0; use a whole number from 1 to 100000 (requests)',
      '- resumable[0].replay.maxPendingBytes is 2147483648; use a whole number from 1 to 1073741824 (bytes)',
      '- resumable[0].replay.acknowledged is missing',
      expect.stringMatching(/^- resumable\[0\]\.repeat is not an option/) as string,
    ],
  ])('%s', async (_, option, ...faults) => {
    expect(await faultsOf(option)).toEqual(faults);
  });

  test('without parentheses', () => {
    expect(() => Resumable(class {} as never)).toThrow(/@Resumable has no parentheses/);
  });
});

test('resumable() returns a copy, which the package does not modify', () => {
  const made = resumable<EchoService, string>(rules);
  expect(made).toEqual(rules);
  expect(made).not.toBe(rules);
});

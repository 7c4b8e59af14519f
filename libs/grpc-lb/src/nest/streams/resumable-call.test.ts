import { Metadata } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import type { CallListener } from '../../grpc/call/listened-call.js';
import type { StreamSlot } from '../../grpc/call/stream-slot.js';
import { OpenCalls } from '../stub/open-calls.js';
import { ResumableCall, type StreamTarget } from './resumable-call.js';
import { rulesOf } from './resumable-rules.js';

/** A call that the test plays. */
class Call {
  slot!: StreamSlot;
  listener!: CallListener;

  start(_metadata: Metadata, listener: CallListener): void {
    this.listener = listener;
  }

  sendMessageWithContext(): void {}
  halfClose(): void {}
  startRead(): void {}
  cancelWithStatus(): void {}
}

/** A stream whose tokens are its messages, on a channel that the test plays. */
function setUp() {
  const clock = new FakeClock();
  const calls: Call[] = [];
  const newCall = (): Call => calls[calls.push(new Call()) - 1]!;
  const channel = { context: { clock, random: () => 0.5, totals: {} }, newCall };
  const method = { path: '/Feed/Watch', requestSerialize: () => Buffer.alloc(0), responseDeserialize: String };
  const resumable = { method: 'watch', token: (text: string) => text, resume: (request: object) => request };
  const target = {
    method,
    openCalls: new OpenCalls(),
    rules: rulesOf('client FEED, Feed/Watch', resumable as never, { client: 'FEED', method: '/feed.v1.Feed/Watch' }),
    channel,
    direct: true,
    keyed: (_request: unknown, metadata: Metadata) => metadata,
  } as unknown as StreamTarget;
  const args = {
    metadata: new Metadata(),
    options: {},
    signal: undefined,
    onMetadata: undefined,
    onStatus: undefined,
  };
  const sink = { wantsMore: true, take: () => {}, fail: () => {}, complete: () => {} };
  const stream = new ResumableCall(target, args, {}, sink);
  stream.start();
  const placement = { opened: () => {}, moved: () => {}, closed: () => {} };
  /** The call is sent now. */
  const send = ({ slot }: Call): void =>
    slot.sent({ reservedAt: clock.now(), endpoint: { placement }, connection: {} } as never);
  return { clock, calls, stream, send };
}

test('the maximum age of a stream begins when it is sent, not when it is opened', () => {
  const { clock, calls, stream, send } = setUp();
  const [first] = calls;
  // It waits for a backend.
  clock.advance(60_000);
  send(first!);
  const headers = new Metadata();
  headers.set('grpc-lb-stream-max-age-ms', '20000');
  first!.listener.onReceiveMetadata(headers);
  first!.listener.onReceiveMessage(Buffer.from('1'));
  clock.advance(18_000);
  expect(calls).toHaveLength(1);
  clock.advance(1000);
  expect(calls).toHaveLength(2);
  stream.unsubscribe();
  expect(clock.pendingTimers).toBe(0);
});

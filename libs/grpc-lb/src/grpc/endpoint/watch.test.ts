import { Metadata, status as Status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { seededRandom } from '../../core/random.js';
import type { SubchannelInterface } from '../experimental.js';
import { Watch } from './watch.js';

/** A connection whose streams end when the test says so. */
function peer() {
  const ends: (() => void)[] = [];
  const createCall = (_metadata: unknown, _authority: unknown, _path: unknown, listener: StatusListener) => {
    ends.push(() => listener.onReceiveStatus({ code: Status.UNAVAILABLE, details: 'gone', metadata: new Metadata() }));
    return { sendMessageWithContext() {}, halfClose() {}, startRead() {}, cancelWithStatus() {} };
  };
  const subchannel = {
    getCallCredentials: () => ({ generateMetadata: () => Promise.resolve(new Metadata()) }),
    getRealSubchannel: () => ({ createCall }),
  } as unknown as SubchannelInterface;
  return { ends, subchannel, authority: 'localhost' };
}

interface StatusListener {
  onReceiveStatus(status: { code: Status; details: string; metadata: Metadata }): void;
}

function watch(onEnd: (watch: Watch) => void) {
  const clock = new FakeClock();
  const { ends, ...rest } = peer();
  const subject: Watch = new Watch(rest, { path: '/a.B/C', message: Buffer.of() }, clock, seededRandom(1), {
    received: () => true,
    ended: () => {
      onEnd(subject);
      return true;
    },
    backedOff() {},
    openChanged() {},
  });
  return { clock, ends, subject };
}

/** Call credentials come a few microtasks later. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('reopens its stream after a backoff when it has ended', async () => {
  const { clock, ends, subject } = watch(() => {});
  await settled();
  ends[0]!();
  expect([subject.open, clock.pendingTimers]).toEqual([false, 1]);
  clock.advance(1200);
  await settled();
  expect([subject.open, ends.length]).toEqual([true, 2]);
  subject.stop();
});

test('stays closed if the listener stops it from the end callback', async () => {
  const { clock, ends, subject } = watch((ended) => ended.stop());
  await settled();
  ends[0]!();
  expect([subject.open, clock.pendingTimers]).toEqual([false, 0]);
});

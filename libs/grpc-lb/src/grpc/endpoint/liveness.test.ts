import { beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { OwnStall } from '../../core/own-stall.js';
import type { PeerConnection, PingListener } from '../experimental.js';
import { Liveness, type LivenessListener } from './liveness.js';

const MINUTE = 60_000;

/** A peer that answers as the test says, and a connection with calls on it. */
class Scene implements LivenessListener {
  readonly clock = new FakeClock();
  readonly ownStall = new OwnStall(this.clock);
  readonly told: string[] = [];
  pings = 0;
  #pingListener: PingListener | undefined;
  readonly peer = {
    bytesRead: 0,
    unacknowledgedData: 0,
    maxConcurrentStreams: undefined,
    ping: () => this.ping(),
    ended: false,
    destroyed: false,
    destroy() {},
    onClosed() {},
    reportEnd() {},
    drop() {},
    onLimit() {},
    onGone() {},
    onPing: (listener: PingListener) => {
      this.#pingListener = listener;
    },
  };
  inFlight = 0;
  readonly streamOpen = true;
  readonly liveness = new Liveness(
    this.peer satisfies PeerConnection,
    { pingAfter: 1000, suspectAfter: 500, pingTimeout: 20_000 },
    this.clock,
    this.ownStall,
    this,
  );

  get waiting(): boolean {
    return this.inFlight > 0;
  }

  pinged(): void {}

  suspected(): void {
    this.told.push(`suspected at ${this.clock.now()}`);
  }

  recovered(): void {
    this.told.push(`recovered at ${this.clock.now()}`);
  }

  died(): void {
    this.told.push(`died at ${this.clock.now()}`);
  }

  /** Sent by this class or by keepalive. */
  ping(): void {
    this.pings++;
    this.#pingListener!.sent();
  }

  call(): void {
    this.inFlight++;
    this.liveness.callStarted();
  }

  hear(bytes = 1): void {
    this.peer.bytesRead += bytes;
  }

  /** Answers the PING in flight. */
  answer(): void {
    this.hear(17);
    this.#pingListener!.answered();
  }

  /** Answers a call. */
  reply(): void {
    this.inFlight--;
    this.hear(30);
    this.liveness.replied();
  }

  /** A call starts during a silence and causes a PING if the budget allows it; the peer answers PINGs. */
  askedBy(call: () => void): boolean {
    const { pings } = this;
    call();
    this.clock.advance(1000);
    if (this.pings > pings) this.answer();
    return this.pings > pings;
  }
}

let scene: Scene;

beforeEach(() => {
  scene = new Scene();
});

describe('a peer that is silent while a call waits', () => {
  beforeEach(() => scene.call());

  test('is pinged after pingAfter, suspect another suspectAfter later, and dead after pingTimeout', () => {
    scene.clock.advance(999);
    expect(scene.pings).toBe(0);
    scene.clock.advance(1);
    expect(scene.pings).toBe(1);
    scene.clock.advance(60_000);
    expect(scene.told).toEqual(['suspected at 1500', 'died at 21000']);
    expect([scene.pings, scene.clock.pendingTimers]).toEqual([1, 0]);
  });

  test('is suspect even if it gets further calls: they do not restart the wait', () => {
    for (let i = 0; i < 20; i++) {
      scene.call();
      scene.clock.advance(100);
    }
    expect([scene.pings, scene.told]).toEqual([1, ['suspected at 1500']]);
  });

  test('and answers in time is not suspect, and is not pinged again for the same silence', () => {
    scene.clock.advance(1000);
    scene.answer();
    scene.clock.advance(60_000);
    expect([scene.told, scene.pings, scene.clock.pendingTimers]).toEqual([[], 1, 0]);
  });

  test('and answers after 19 s stops being suspect at once', () => {
    scene.clock.advance(20_000);
    scene.answer();
    scene.clock.advance(60_000);
    expect(scene.told).toEqual(['suspected at 1500', 'recovered at 20000']);
  });

  test('and sends something other than the answer soon stops being suspect', () => {
    scene.clock.advance(5100);
    scene.hear();
    scene.clock.advance(60_000);
    expect(scene.told).toEqual(['suspected at 1500', 'recovered at 5250']);
  });

  test('is pinged again if a call started between PING and answer', () => {
    scene.clock.advance(1000);
    scene.call();
    scene.answer();
    scene.clock.advance(2000);
    expect([scene.pings, scene.told]).toEqual([2, ['suspected at 2500']]);
  });

  test('is suspect even when all its calls have reached their deadlines', () => {
    scene.inFlight = 0;
    scene.clock.advance(60_000);
    expect(scene.told).toEqual(['suspected at 1500', 'died at 21000']);
  });
});

describe('a peer that sends something', () => {
  test('is not pinged', () => {
    scene.call();
    for (let i = 0; i < 50; i++) {
      scene.clock.advance(900);
      scene.hear();
    }
    expect(scene.pings).toBe(0);
  });

  test('is pinged as soon as it stops', () => {
    scene.call();
    scene.clock.advance(900);
    scene.hear();
    // The check at 1000 finds the byte, the one at 2000 finds nothing new.
    scene.clock.advance(1099);
    expect(scene.pings).toBe(0);
    scene.clock.advance(1);
    expect(scene.pings).toBe(1);
  });
});

describe('the budget of PINGs', () => {
  test('allows two at once, then one every five minutes, for a call every 3 s in an hour of silence', () => {
    const asked: number[] = [];
    for (let i = 0; i < 1200; i++) {
      const now = scene.clock.now();
      if (scene.askedBy(() => scene.call())) asked.push(now);
      scene.clock.advance(2000);
    }
    expect(asked.slice(0, 2)).toEqual([0, 3000]);
    for (let i = 2; i < asked.length; i++) expect(asked[i]! - asked[i - 1]!).toBeGreaterThan(5 * MINUTE);
    expect(asked.length).toBeGreaterThan(10);
  });

  test('is reset by an answer to a call, but not by bytes or answers to PINGs', () => {
    const asks = (): boolean => scene.askedBy(() => scene.call());
    expect([asks(), asks(), asks(), asks()]).toEqual([true, true, false, false]);
    scene.hear(100);
    expect(asks()).toBe(false);
    scene.reply();
    expect([asks(), asks(), asks()]).toEqual([true, true, false]);
  });

  test('is reset by DATA on a stream', () => {
    const asks = (): boolean => scene.askedBy(() => scene.call());
    expect([asks(), asks(), asks()]).toEqual([true, true, false]);
    scene.peer.unacknowledgedData += 12;
    expect([asks(), asks(), asks()]).toEqual([true, true, false]);
    // A WINDOW_UPDATE that the client sends is not DATA.
    scene.peer.unacknowledgedData = 0;
    expect(asks()).toBe(false);
  });

  test('is not reset by an answer during a PING, which may have been sent before it', () => {
    scene.call();
    scene.call();
    scene.clock.advance(1000);
    scene.reply();
    scene.answer();
    const asks = (): boolean => scene.askedBy(() => scene.call());
    expect([asks(), asks()]).toEqual([true, false]);
  });

  test('is charged for keepalive PINGs', () => {
    scene.ping();
    scene.answer();
    const asks = (): boolean => scene.askedBy(() => scene.call());
    expect([asks(), asks()]).toEqual([true, false]);
  });

  test('is kept when options change', () => {
    const asks = (): boolean => scene.askedBy(() => scene.call());
    expect([asks(), asks()]).toEqual([true, true]);
    scene.liveness.configure({ pingAfter: 1000, suspectAfter: 400, pingTimeout: 400 });
    expect(asks()).toBe(false);
  });
});

describe('a stall of this process', () => {
  /** Time passes while nothing runs; then timers run before sockets are read. */
  function stall(ms: number): void {
    const end = scene.clock.now() + ms;
    const { now } = scene.clock;
    scene.clock.now = () => end;
    scene.clock.advance(ms);
    scene.clock.now = now;
  }

  beforeEach(() => {
    scene.ownStall.watch();
    scene.call();
  });

  test('before the PING does not cause one: data that has arrived is read first', () => {
    scene.clock.advance(400);
    stall(1200);
    expect(scene.pings).toBe(0);
    scene.hear();
    scene.clock.advance(500);
    expect([scene.pings, scene.told]).toEqual([0, []]);
  });

  test('after the PING leaves the answer unread, and the peer is not suspect', () => {
    scene.clock.advance(1050);
    stall(2000);
    expect(scene.told).toEqual([]);
    scene.answer();
    scene.clock.advance(60_000);
    expect(scene.told).toEqual([]);
  });

  test('of half a minute does not kill a connection', () => {
    scene.clock.advance(1050);
    stall(30_000);
    scene.clock.advance(90);
    expect(scene.told).toEqual([]);
    scene.answer();
    scene.clock.advance(60_000);
    expect(scene.told).toEqual([]);
  });

  test('does not save a peer that stays silent', () => {
    scene.clock.advance(1050);
    stall(2000);
    scene.clock.advance(60_000);
    expect(scene.told).toEqual([expect.stringMatching(/^suspected at 3/), expect.stringMatching(/^died at 2[234]/)]);
  });
});

describe('a connection without a waiting call', () => {
  test('has no timer', () => {
    expect(scene.clock.pendingTimers).toBe(0);
  });

  test('that received something is not pinged, and has no timer after the next check', () => {
    scene.call();
    scene.hear();
    scene.inFlight = 0;
    scene.clock.advance(1000);
    expect([scene.pings, scene.clock.pendingTimers]).toEqual([0, 0]);
  });
});

test('one timer serves all calls', () => {
  for (let i = 0; i < 100; i++) scene.call();
  expect(scene.clock.pendingTimers).toBe(1);
});

test.each([0, 500, 1200, 2000])('stopped %d ms in, it does nothing more', (ms) => {
  scene.call();
  scene.clock.advance(ms);
  const { pings } = scene;
  const told = [...scene.told];
  scene.liveness.stop();
  scene.call();
  scene.clock.advance(60_000);
  expect([scene.pings, scene.told, scene.clock.pendingTimers]).toEqual([pings, told, 0]);
});

describe('a silent peer, if the options change to send no PINGs', () => {
  const OPTIONS = { pingAfter: 1000, suspectAfter: 500, pingTimeout: 20_000 };

  beforeEach(() => scene.call());

  test('is not pinged, until they change again', () => {
    scene.clock.advance(500);
    scene.liveness.configure({ ...OPTIONS, pingAfter: 0 });
    scene.hear();
    scene.clock.advance(60_000);
    expect([scene.pings, scene.told, scene.clock.pendingTimers]).toEqual([0, [], 0]);
    scene.liveness.configure(OPTIONS);
    scene.clock.advance(1000);
    expect(scene.pings).toBe(1);
  });

  test('and is suspect, is not any more, whatever becomes of the PING', () => {
    scene.clock.advance(1600);
    scene.call();
    scene.liveness.configure({ ...OPTIONS, pingAfter: 0 });
    scene.clock.advance(60_000);
    scene.answer();
    expect(scene.told).toEqual(['suspected at 1500', 'recovered at 1600']);
    expect([scene.pings, scene.clock.pendingTimers]).toEqual([1, 0]);
  });
});

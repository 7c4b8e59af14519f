import { describe, expect, test } from 'vitest';
import { FakeClock } from '../../../../test/support/fake-clock.js';
import type { PeerConnection } from './experimental.js';
import { Liveness } from './liveness.js';

/** A peer that answers as the test says, and a connection with calls on it. */
class Scene {
  readonly clock = new FakeClock();
  readonly peer = {
    bytesRead: 0,
    maxConcurrentStreams: undefined,
    pings: 0,
    ping: () => void this.peer.pings++,
    drop() {},
    onLimit() {},
  };
  inFlight = 0;
  deaths = 0;
  readonly liveness = new Liveness(
    this.peer satisfies PeerConnection,
    { pingAfter: 1000, pingTimeout: 500 },
    this.clock,
    () => this.inFlight > 0,
    () => this.deaths++,
  );

  call(): void {
    this.inFlight++;
    this.liveness.callStarted();
  }

  hear(bytes = 1): void {
    this.peer.bytesRead += bytes;
  }
}

describe('a peer that is silent while a call waits', () => {
  test('is asked after pingAfter, and dead after pingTimeout more', () => {
    const scene = new Scene();
    scene.call();
    scene.clock.advance(999);
    expect(scene.peer.pings).toBe(0);
    scene.clock.advance(1);
    expect(scene.peer.pings).toBe(1);
    scene.clock.advance(499);
    expect(scene.deaths).toBe(0);
    scene.clock.advance(1);
    expect(scene.deaths).toBe(1);
    scene.clock.advance(60_000);
    expect([scene.deaths, scene.peer.pings, scene.clock.pendingTimers]).toEqual([1, 1, 0]);
  });

  test('is dead even if calls go on to be sent to it: they do not begin the wait anew', () => {
    const scene = new Scene();
    for (let i = 0; i < 10; i++) {
      scene.call();
      scene.clock.advance(100);
    }
    expect(scene.peer.pings).toBe(1);
  });

  test('and answers, is well, and is not asked again for the same silence', () => {
    const scene = new Scene();
    scene.call();
    scene.clock.advance(1000);
    scene.hear();
    scene.clock.advance(60_000);
    expect([scene.deaths, scene.peer.pings, scene.clock.pendingTimers]).toEqual([0, 1, 0]);
  });

  test('is asked again when another call has started since', () => {
    const scene = new Scene();
    scene.call();
    scene.clock.advance(1000);
    scene.hear();
    scene.clock.advance(10_000);
    scene.call();
    scene.clock.advance(1500);
    expect([scene.peer.pings, scene.deaths]).toEqual([2, 1]);
  });
});

describe('a peer from which something comes', () => {
  test('is not asked', () => {
    const scene = new Scene();
    scene.call();
    for (let i = 0; i < 50; i++) {
      scene.clock.advance(900);
      scene.hear();
    }
    expect(scene.peer.pings).toBe(0);
  });

  test('is asked as soon as that ends', () => {
    const scene = new Scene();
    scene.call();
    scene.clock.advance(900);
    scene.hear();
    // The look at 1000 finds the byte, the one at 2000 finds none more.
    scene.clock.advance(1099);
    expect(scene.peer.pings).toBe(0);
    scene.clock.advance(1);
    expect(scene.peer.pings).toBe(1);
  });
});

describe('a connection without a waiting call', () => {
  test('has no timer', () => {
    expect(new Scene().clock.pendingTimers).toBe(0);
  });

  test('that has heard something is not asked, and has no timer after the next look', () => {
    const scene = new Scene();
    scene.call();
    scene.hear();
    scene.inFlight = 0;
    scene.clock.advance(1000);
    expect([scene.peer.pings, scene.clock.pendingTimers]).toEqual([0, 0]);
  });

  test('is asked if not a byte has come: its calls may all have reached their deadlines', () => {
    const scene = new Scene();
    scene.call();
    scene.inFlight = 0;
    scene.clock.advance(1000);
    expect(scene.peer.pings).toBe(1);
    scene.clock.advance(500);
    expect([scene.deaths, scene.clock.pendingTimers]).toEqual([1, 0]);
  });

  test('further calls do not put the answer off', () => {
    const scene = new Scene();
    scene.call();
    scene.clock.advance(1000);
    for (let i = 0; i < 10; i++) {
      scene.call();
      scene.clock.advance(50);
    }
    expect(scene.deaths).toBe(1);
  });
});

test('one timer serves all calls', () => {
  const scene = new Scene();
  for (let i = 0; i < 100; i++) scene.call();
  expect(scene.clock.pendingTimers).toBe(1);
});

test.each([0, 500, 1200])('after it is stopped, %d ms in, nothing happens any more', (ms) => {
  const scene = new Scene();
  scene.call();
  scene.clock.advance(ms);
  const { pings } = scene.peer;
  scene.liveness.stop();
  scene.call();
  scene.clock.advance(60_000);
  expect([scene.peer.pings, scene.deaths, scene.clock.pendingTimers]).toEqual([pings, 0, 0]);
});

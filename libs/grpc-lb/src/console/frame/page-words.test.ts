import { expect, test } from 'vitest';
import type { AttemptKind } from '../../core/call/plan-owner.js';
import type {
  ClientState,
  ConnectionHealth,
  ConnectionState,
  EndpointState,
  SourceState,
} from '../../core/snapshot.js';
import type { MoveReason } from '../../core/streams/placed-stream.js';
import type { WaitReason } from '../../grpc/call/call-observer.js';
import type { OptionOrigin } from '../../nest/option-origins.js';

/** What the page must have words for; the compiler completes each list. */
const VALUES = {
  ENDPOINT_STATES: {
    connecting: 0,
    ready: 0,
    degraded: 0,
    not_serving: 0,
    suspect: 0,
    ejected: 0,
    transient_failure: 0,
    draining: 0,
    // Of the page alone.
    slow_start: 0,
    drained: 0,
  } satisfies Record<EndpointState | 'slow_start' | 'drained', 0>,
  CONNECTION_STATES: { connecting: 0, ready: 0, transient_failure: 0, retiring: 0 } satisfies Record<
    ConnectionState,
    0
  >,
  HEALTH_STATES: { unknown: 0, serving: 0, not_serving: 0, not_offered: 0, disabled: 0 } satisfies Record<
    ConnectionHealth,
    0
  >,
  CLIENT_STATES: { idle: 0, connecting: 0, ready: 0, transient_failure: 0, shutdown: 0 } satisfies Record<
    ClientState,
    0
  >,
  SOURCE_STATES: { pending: 0, ok: 0, stale: 0, failed: 0 } satisfies Record<SourceState, 0>,
  ORIGINS: { default: 0, module: 0, client: 0, overrides: 0, configure: 0 } satisfies Record<OptionOrigin, 0>,
  WAITS: { discovery: 0, connection: 0, ready: 0, stream_limit: 0, call_credentials: 0 } satisfies Record<
    WaitReason,
    0
  >,
  KINDS: { first: 0, transparent: 0, retry: 0, hedge: 0 } satisfies Record<AttemptKind, 0>,
  MOVES: {
    draining: 0,
    ejected: 0,
    silent: 0,
    removed: 0,
    connection_retired: 0,
    max_age: 0,
    rebalance: 0,
    key: 0,
  } satisfies Record<MoveReason, 0>,
};

/** A file that browsers load, so it has no types. */
const words = (await import(new URL('../page/words.js', import.meta.url).href)) as Record<string, object>;

test.for(Object.entries(VALUES))('the page has words for each of %s', ([name, values]) => {
  expect(Object.keys(words[name]!).toSorted()).toEqual(Object.keys(values).toSorted());
});

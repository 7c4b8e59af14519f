import { connectivityState } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { RecordingContext } from '../../../../../test/support/discovery/fake-source.js';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import type { Balancing, Condition } from '../../core/balancing/balancing.js';
import { CallDispatcher } from '../call/call-dispatcher.js';
import type { Connection } from '../endpoint/connection.js';
import type { ChannelControlHelper } from '../experimental.js';
import { CallPublisher } from './call-publisher.js';

test('if sending a call shows that the last connection has ended, the channel has the later state', () => {
  const context = new RecordingContext(['static:///a:1'], new FakeClock());
  let condition: Condition = { state: 'ready' };
  const balancing = {
    get condition() {
      return condition;
    },
    route: { pickable: [], probing: [] },
    policies: { all: [] },
    attempts: { streams: {} },
  } as unknown as Balancing<Connection>;
  class Dispatcher extends CallDispatcher {
    override ready(...now: Parameters<CallDispatcher['ready']>): void {
      super.ready(...now);
      condition = { state: 'connecting' };
      publisher.publish(balancing);
    }
  }
  const states: connectivityState[] = [];
  const helper = { updateState: (state: connectivityState) => states.push(state) } as unknown as ChannelControlHelper;
  const publisher = new CallPublisher(context, helper, new Dispatcher(context, () => {}));
  publisher.publish(balancing);
  expect(context.state).toBe('connecting');
  expect(states.at(-1)).toBe(connectivityState.CONNECTING);
});

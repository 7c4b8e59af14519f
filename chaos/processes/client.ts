/** One subject in a process of its own: makes calls when it is told, and hands over what it has seen. */
import { now } from '../clock.js';
import type { CallRecord, ClientArguments, FromClient, RequestRecord, TimedEvent, ToClient } from '../protocol.js';
import { grpcLb, roundRobin } from './subjects.js';
import { OpenLoop } from './load.js';
import { watchWire } from './wire.js';

const args = JSON.parse(process.argv[2]!) as ClientArguments;
const calls: CallRecord[] = [];
const requests: RequestRecord[] = [];
const events: TimedEvent[] = [];
const tell = (message: FromClient): void => void process.send!(message);

watchWire((request) => requests.push(request));
const subject =
  args.subject === 'grpc-lb'
    ? grpcLb(args, (event) => {
        const timed = { at: now(), event };
        events.push(timed);
        tell({ type: 'event', event: timed });
      })
    : roundRobin(args);
let load: OpenLoop | undefined;

process.on('message', (message: ToClient) => {
  switch (message.type) {
    case 'endpoints':
      return subject.setEndpoints(message.addresses);
    case 'load':
      load = new OpenLoop(subject.echo, { ...args, onEnd: (record, call) => (calls[call] = record) });
      return;
    case 'rate':
      load?.setRate(message.rate);
      return;
    case 'stop':
      return void stop();
  }
});
// The runner is gone, or has all it wants.
process.on('disconnect', () => process.exit());

async function stop(): Promise<void> {
  const snapshot = subject.snapshot();
  await load?.stop();
  tell({ type: 'recording', recording: { calls, requests, events, snapshot } });
}

await subject.ready();
tell({ type: 'ready' });

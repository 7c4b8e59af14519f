import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { CHANNEL_OPTIONS, channelOptionFaults } from './channel-option-names.js';

test('the names are those of the installed grpc-js', () => {
  const load = createRequire(import.meta.url);
  const { recognizedOptions } = load(load.resolve('@grpc/grpc-js').replace('index.js', 'channel-options.js')) as {
    recognizedOptions: object;
  };
  expect(CHANNEL_OPTIONS.toSorted()).toEqual(Object.keys(recognizedOptions).toSorted());
});

test.for([
  ['grpc.keepalive_time', 'is not an option of grpc-js; did you mean "grpc.keepalive_time_ms"?'],
  ['grpc.keepalive_tiem_ms', 'is not an option of grpc-js; did you mean "grpc.keepalive_time_ms"?'],
  ['grpc.max_recieve_message_length', 'is not an option of grpc-js; did you mean "grpc.max_receive_message_length"?'],
])('%s is misspelt', ([name, message]) => {
  expect(channelOptionFaults({ [name!]: 1 })).toEqual([{ path: `channelOptions["${name}"]`, message }]);
});

test('known options, and those of other libraries, are no fault', () => {
  const options = { 'grpc.keepalive_time_ms': 1, 'grpc.http2.max_ping_strikes': 1, 'acme.option': 1 };
  expect(channelOptionFaults(options)).toEqual([]);
  expect(channelOptionFaults(undefined)).toEqual([]);
});

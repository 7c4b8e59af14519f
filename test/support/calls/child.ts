import * as grpc from '@grpc/grpc-js';
import { createBalancedChannel } from '../../../libs/grpc-lb/src/grpc/channel/balanced-channel.js';

// A program with one call, which nothing answers. Nothing here ends the process.

const [, , todo, target] = process.argv;
const credentials = grpc.credentials.createInsecure();
const channel = createBalancedChannel({
  name: 'ECHO',
  target: target!,
  credentials,
  methods: [{ service: 'echo.v1.Echo', method: 'Say', responseStream: false }],
  loadBalancing: { retry: { maxAttempts: 2, initialBackoff: 300, maxBackoff: 300 } },
});
const client = new grpc.Client('override', credentials, { channelOverride: channel });
const metadata = new grpc.Metadata({ waitForReady: todo === 'pending' });
const raw = (bytes: Buffer): Buffer => bytes;
const deadline = todo === 'pending' ? Date.now() + 500 : Infinity;
client.makeUnaryRequest('/echo.v1.Echo/Say', raw, raw, Buffer.from('x'), metadata, { deadline }, (error) => {
  process.stdout.write(`ended with ${error?.code}`);
  channel.close();
});

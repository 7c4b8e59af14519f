import { createRequire } from 'node:module';
import { connectivityState, credentials, Metadata, type MethodDefinition, status } from '@grpc/grpc-js';
import type { RunSpec } from '../run-spec.js';
import { echoMethods, framed } from './messages.js';
import type { Subject } from './subject.js';

type Subchannel = import('@grpc/grpc-js/build/src/subchannel.js').Subchannel;
const require = createRequire(import.meta.url);
const { getSubchannelPool } =
  require('@grpc/grpc-js/build/src/subchannel-pool.js') as typeof import('@grpc/grpc-js/build/src/subchannel-pool.js');

/** What grpc-js's connections cost by themselves: calls on its subchannels, in turn, without its channel and client. */
export async function subchannelOnly({ proto, addresses }: RunSpec): Promise<Subject> {
  const methods = echoMethods(proto);
  const pool = getSubchannelPool(false);
  // A subchannel that connects does not keep the process alive.
  const hold = setInterval(() => {}, 60_000);
  const target = { scheme: 'ipv4', path: addresses.join(',') };
  const subchannels = await Promise.all(
    addresses.map(async (each) => {
      const [host, port] = each.split(':') as [string, string];
      const subchannel = pool.getOrCreateSubchannel(
        target,
        { host, port: Number(port) },
        {},
        credentials.createInsecure(),
      );
      // Its pool drops the ones that no channel refers to.
      subchannel.ref();
      await connected(subchannel);
      return subchannel;
    }),
  );
  let turn = 0;
  const call = <I, O>(method: MethodDefinition<I, O>, request: I): Promise<number> =>
    callOn(subchannels[turn++ % subchannels.length]!, method, request);
  return {
    say: async (text) => void (await call(methods.say, { text })),
    repeat: (text, times) => call(methods.repeat, { text, times }),
    close: async () => clearInterval(hold),
  };
}

function connected(subchannel: Subchannel): Promise<void> {
  return new Promise((resolve) => {
    subchannel.addConnectivityStateListener((_, __, state) => {
      if (state === connectivityState.READY) resolve();
    });
    subchannel.startConnecting();
  });
}

function callOn<I, O>(subchannel: Subchannel, method: MethodDefinition<I, O>, request: I): Promise<number> {
  return new Promise((resolve, reject) => {
    let count = 0;
    const call = subchannel.createCall(new Metadata(), 'localhost', method.path, {
      onReceiveMetadata: () => {},
      onReceiveMessage: (frame: Buffer) => {
        method.responseDeserialize(frame.subarray(5));
        count++;
        call.startRead();
      },
      onReceiveStatus: ({ code, details }) => (code === status.OK ? resolve(count) : reject(new Error(details))),
    });
    call.sendMessageWithContext({}, framed(method.requestSerialize(request)));
    call.halfClose();
    call.startRead();
  });
}

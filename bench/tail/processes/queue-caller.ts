import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { Deque } from '../../sim/engine/deque.js';
import { SLOTS } from '../model/scenario.js';
import type { Caller, Job } from './caller.js';

interface Backend {
  readonly index: number;
  readonly client: grpc.Client;
  inFlight: number;
}

interface Waiting {
  readonly job: Job;
  readonly done: (error: unknown) => void;
}

/**
 * The central queue as far as it can be had over sockets: one client that alone knows how many slots there are, how fast
 * each is, and which fail, and lets a call go only when a slot is free. Between it and the bound lies what this machine
 * takes: network stack, timers, and the time from the end of a call until its slot is known to be free.
 */
export function queueCaller(
  fails: (backend: number) => boolean,
  slownessNow: (backend: number) => number,
  proto: string,
  addresses: readonly string[],
): Caller {
  const service = (
    grpc.loadPackageDefinition(loadSync(proto, { defaults: true })) as unknown as {
      bench: { v1: { Worker: grpc.ServiceClientConstructor } };
    }
  ).bench.v1.Worker;
  const backends = addresses.map((address, index): Backend => {
    return { index, client: new service(address, grpc.credentials.createInsecure()), inFlight: 0 };
  });
  const waiting = new Deque<Waiting>();

  const make = (
    client: grpc.Client,
    method: 'Work' | 'Ping',
    job: object,
    done: grpc.requestCallback<unknown>,
  ): void => {
    const { path, requestSerialize, responseDeserialize } = service.service[method]!;
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, job, done);
  };
  const send = (backend: Backend, { job, done }: Waiting): void => {
    backend.inFlight++;
    // A backend finishes a call that was given up, so its slot is not free before the answer.
    make(backend.client, 'Work', job, (error) => {
      backend.inFlight--;
      const next = fails(backend.index) ? undefined : waiting.shift();
      if (next) send(backend, next);
      done(error ?? undefined);
    });
  };
  const withDeadline = (deadline: number, done: Waiting['done']): Waiting['done'] => {
    let ended = false;
    const end = (error: unknown): void => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      done(error);
    };
    const timer = setTimeout(() => end({ code: grpc.status.DEADLINE_EXCEEDED }), deadline - Date.now());
    return end;
  };
  return {
    work: (job, deadline, done) => {
      let best: Backend | undefined;
      for (const backend of backends) {
        if (backend.inFlight < SLOTS && !fails(backend.index) && (!best || isBetter(backend, best, slownessNow)))
          best = backend;
      }
      const call = { job, done: withDeadline(deadline, done) };
      if (best) send(best, call);
      else waiting.push(call);
    },
    ping: () =>
      new Promise((resolve, reject) => {
        make(backends[0]!.client, 'Ping', {}, (error) => (error ? reject(error) : resolve()));
      }),
    close: async () => {
      for (const { client } of backends) client.close();
    },
  };
}

function isBetter(one: Backend, other: Backend, slowness: (backend: number) => number): boolean {
  const difference = slowness(one.index) - slowness(other.index);
  return difference < 0 || (difference === 0 && one.inFlight < other.inFlight);
}

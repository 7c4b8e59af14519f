import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type ClientGrpc, ClientsModule, Transport } from '@nestjs/microservices';
import { Metadata } from '@grpc/grpc-js';
import { GrpcLbModule, type HedgeOptions } from 'nestjs-grpc-lb';
import type { Observable } from 'rxjs';
import type { HedgeDelay, RunSpec } from '../model/run-spec.js';
import type { Subject } from '../subjects.js';

export interface Job {
  readonly index: number;
  readonly work: number;
  readonly session: string;
}

interface Worker {
  work(job: Job, metadata: Metadata, options: { deadline: number }): Observable<unknown>;
  ping(job: object): Observable<unknown>;
}

/** Makes calls in a subject's way. `deadline` in milliseconds of the epoch; the error is that of the call. */
export interface Caller {
  work(job: Job, deadline: number, done: (error: unknown) => void): void;
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Through a Nest client, as an application would. */
export async function nestCaller(
  subject: Subject,
  proto: string,
  addresses: readonly string[],
  { hedgeDelay }: RunSpec,
): Promise<Caller> {
  @Module({ imports: [clientsOf(subject, proto, addresses, hedgeDelay)].flat() as never })
  class BenchModule {}

  const app = await NestFactory.createApplicationContext(BenchModule, { logger: false, abortOnError: false });
  const worker = app.get<ClientGrpc>('BENCH', { strict: false }).getService<Worker>('Worker');
  return {
    work: (job, deadline, done) => {
      worker.work(job, new Metadata(), { deadline }).subscribe({ error: done, complete: () => done(undefined) });
    },
    ping: () =>
      new Promise((resolve, reject) => {
        worker.ping({}).subscribe({ error: reject, complete: resolve });
      }),
    close: () => app.close(),
  };
}

function clientsOf(
  subject: Subject,
  protoPath: string,
  addresses: readonly string[],
  hedgeDelay: HedgeDelay | undefined,
): unknown[] {
  const options = { package: 'bench.v1', protoPath };
  switch (subject.kind) {
    case 'own':
      return [
        GrpcLbModule.forRoot(),
        GrpcLbModule.forFeature([
          {
            name: 'BENCH',
            options: {
              ...options,
              url: `static:///${addresses.join(',')}`,
              loadBalancing: {
                policy: subject.policy,
                ...(subject.hedges !== undefined && { hedge: hedgeOf(hedgeDelay) }),
              },
            },
          },
        ]),
      ];
    case 'stock':
      return [nestClients({ ...options, url: `ipv4:${addresses.join(',')}` }, subject.config)];
    case 'proxy':
      return [nestClients({ ...options, url: addresses[0]! }, { pick_first: {} })];
    case 'queue':
      throw new TypeError(`${subject.name} is not a client of Nest`);
  }
}

function hedgeOf(delay: HedgeDelay | undefined): HedgeOptions {
  return { methods: { Work: true }, ...(delay !== undefined && { delay }) };
}

function nestClients(options: { package: string; protoPath: string; url: string }, policy: object): unknown {
  const channelOptions = { 'grpc.service_config': JSON.stringify({ loadBalancingConfig: [policy] }) };
  return ClientsModule.register([
    { name: 'BENCH', transport: Transport.GRPC, options: { ...options, channelOptions } },
  ]);
}

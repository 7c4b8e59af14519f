import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import { loadPackageDefinition, Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';
import { Logger, type ModuleMetadata, type Type } from '@nestjs/common';
import type { ClientGrpc } from '@nestjs/microservices';
import type { TestingModule } from '@nestjs/testing';
import {
  GrpcLbClient,
  type GrpcLbClientDecoratorOptions,
  GrpcLbModule,
  type GrpcLbModuleOptions,
  GrpcService,
} from 'nestjs-grpc-lb';
import { isObservable, lastValueFrom, type Observable } from 'rxjs';
import { onTestFinished, vi } from 'vitest';
import { closeWithTest } from '../../support/run/close-with-test.js';
import { startApp } from '../../support/nest/app.js';

/** What a user of the first day writes, and what he then sees. Options are as loose as JavaScript allows. */

export type Loose = Record<string, unknown>;

export const PROTO = fileURLToPath(new URL('orders.proto', import.meta.url));
export const RIGHT = { package: 'orders.v1', protoPath: PROTO, target: 'static:///127.0.0.1:50051' };

export interface Orders {
  find(request: { id: string }): Observable<{ id: string }>;
}

/** A client class with these options over the right ones. */
export function ordersClient(more: Loose = {}): Type {
  @GrpcLbClient({ ...RIGHT, service: 'Orders', ...more } as unknown as GrpcLbClientDecoratorOptions)
  class OrdersClient extends GrpcService<Orders>() {}
  return OrdersClient;
}

/** An application with what the list of `forFeature` is given. */
export function app(clients: unknown, root: GrpcLbModuleOptions = {}): ModuleMetadata {
  return { imports: [GrpcLbModule.forRoot(root), GrpcLbModule.forFeature(clients as Type[])] };
}

/** One with the item ORDERS, with these options over the right ones. */
export function item(more: Loose = {}, root: GrpcLbModuleOptions = {}): ModuleMetadata {
  return app([{ name: 'ORDERS', options: { ...RIGHT, ...more } }], root);
}

/** The message with which an application does not start. */
export async function startFailure(make: () => ModuleMetadata): Promise<string> {
  try {
    await startApp(make());
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('The application has started');
}

/** What a started application has logged as a warning. */
export async function warned(make: () => ModuleMetadata): Promise<string> {
  const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  onTestFinished(() => warn.mockRestore());
  await startApp(make());
  return warn.mock.calls.map(([line]) => String(line)).join('\n');
}

/** The message with which a call of ORDERS fails. */
export async function callFailure(more: Loose, args: readonly unknown[] = [{ id: '7' }], method = 'find') {
  const started = await startApp(item(more, { logging: false }));
  return failureOf(started, (orders) => orders[method]!(...args));
}

async function failureOf(
  started: TestingModule,
  call: (orders: Record<string, (...args: unknown[]) => unknown>) => unknown,
): Promise<string> {
  try {
    const orders = started
      .get<ClientGrpc>('ORDERS')
      .getService<Record<string, (...args: unknown[]) => unknown>>('Orders');
    const answer = call(orders);
    if (isObservable(answer)) await lastValueFrom(answer);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('The call has succeeded');
}

/** The target of a server of the right service, or of another one. */
export async function served(credentials = ServerCredentials.createInsecure(), service?: string): Promise<string> {
  const server = new Server();
  const loaded = loadPackageDefinition(loadSync(PROTO)) as unknown as {
    orders: { v1: { Orders: { service: ServiceDefinition } } };
  };
  if (service === undefined) {
    server.addService(loaded.orders.v1.Orders.service, {
      find: (call: { request: object }, done: (error: null, answer: object) => void) => done(null, call.request),
    });
  }
  closeWithTest(() => server.forceShutdown());
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return `static:///127.0.0.1:${port}`;
}

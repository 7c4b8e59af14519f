import { EventEmitter } from 'node:events';
import { type Server, status as Status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { HealthService } from './health-service.js';

type Answer = (error: { readonly code?: Status; readonly details?: string } | null, answer?: object) => void;

interface Handlers {
  Check(call: { readonly request: { readonly service: string } }, answer: Answer): void;
  Watch(call: object): void;
  List(call: object, answer: Answer): void;
}

class Watch extends EventEmitter {
  readonly told: string[] = [];
  readonly request: { readonly service: string };

  constructor(service: string) {
    super();
    this.request = { service };
  }

  write({ status }: { readonly status: string }): void {
    this.told.push(status);
  }
}

function served(): { health: HealthService; handlers: Handlers; watch: (service: string) => Watch } {
  const health = new HealthService();
  let handlers!: Handlers;
  const server = { addService: (_: unknown, given: unknown) => (handlers = given as Handlers) };
  health.addToServer(server as unknown as Server, {});
  const watch = (service: string): Watch => {
    const call = new Watch(service);
    handlers.Watch(call);
    return call;
  };
  return { health, handlers, watch };
}

test('names that clients have watched do not stay when their watches have ended', () => {
  const { health, watch } = served();
  for (let i = 0; i < 100; i++) watch(`unknown.v1.Service${i}`).emit('cancelled', 'cancelled');
  expect(health.watched).toEqual([]);
});

test('the other watches of a service go on when one has ended, and those that come later', () => {
  const { health, watch } = served();
  const [one, other] = [watch('a.A'), watch('a.A')];
  one.emit('cancelled');
  health.setStatus('a.A', 'SERVING');
  other.emit('cancelled');
  const third = watch('a.A');
  // Of a watch that has ended before.
  other.emit('cancelled');
  health.setStatus('a.A', 'NOT_SERVING');
  expect([one.told, other.told, third.told]).toEqual([
    ['SERVICE_UNKNOWN'],
    ['SERVICE_UNKNOWN', 'SERVING'],
    ['SERVING', 'NOT_SERVING'],
  ]);
});

test('an unknown name of any length is cut in the error', () => {
  const { handlers } = served();
  let details: string | undefined;
  handlers.Check({ request: { service: 'x'.repeat(1_000_000) } }, (error) => (details = error?.details));
  expect(details!.length).toBeLessThan(200);
});

test('up to 100 services are listed; more are too many', () => {
  const { health, handlers } = served();
  const listed = (): unknown => {
    let told: unknown;
    handlers.List({}, (error, answer) => (told = error?.code ?? answer));
    return told;
  };
  for (let i = 0; i < 100; i++) health.setStatus(`a.Service${i}`, 'SERVING');
  const statuses = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`a.Service${i}`, { status: 'SERVING' }]));
  expect(listed()).toEqual({ statuses });
  health.setStatus('a.Service100', 'SERVING');
  expect(listed()).toBe(Status.RESOURCE_EXHAUSTED);
});

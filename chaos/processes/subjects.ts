import * as grpc from '@grpc/grpc-js';
import type { EndpointListener } from '../../libs/grpc-lb/src/core/endpoint-source.js';
import type { LbEvent } from '../../libs/grpc-lb/src/core/events.js';
import type { ClientSnapshot } from '../../libs/grpc-lb/src/core/snapshot.js';
import { parseHostPort, registerEndpointSource } from '../../libs/grpc-lb/src/discovery/index.js';
import { BalancedChannel } from '../../libs/grpc-lb/src/grpc/index.js';
import { Echo, type EchoStub, SAY } from '../echo.js';
import type { ClientArguments } from '../protocol.js';

/** A client that balances in one way or another. */
export interface Subject {
  readonly echo: EchoStub;
  /** Resolves when it can make calls: ours, when every endpoint has been heard of, for the worse too. */
  ready(): Promise<void>;
  /** Discovery has a new list. */
  setEndpoints(addresses: readonly string[]): void;
  snapshot(): ClientSnapshot | null;
  close(): void;
}

const credentials = grpc.credentials.createInsecure();

const addressesOf = (list: readonly string[]): { host: string; port: number }[] =>
  list.map((text) => parseHostPort(text, 'endpoint'));

/** This package, at its defaults but for what is given. */
export function grpcLb(
  { addresses, loadBalancing, retry }: ClientArguments,
  onEvent: (event: LbEvent) => void,
): Subject {
  let current = addresses;
  let listener: EndpointListener | undefined;
  const deliver = (): void => listener?.onEndpoints(addressesOf(current).map((address) => ({ address })));
  registerEndpointSource('chaos', () => ({
    start: (given) => {
      listener = given;
      queueMicrotask(deliver);
    },
    refresh: () => {},
    stop: () => (listener = undefined),
  }));
  const connecting = new Set(addresses);
  let connected!: () => void;
  const ready = new Promise<void>((resolve) => (connected = resolve));
  const balanced = new BalancedChannel({
    name: 'CHAOS',
    target: 'chaos:///echo',
    credentials,
    methods: [SAY],
    loadBalancing: { ...(retry && { retry: {} }), ...loadBalancing },
    onEvent: (event) => {
      onEvent(event);
      if (event.type === 'endpoint_state') connecting.delete(event.address);
      if (connecting.size === 0) connected();
    },
  });
  balanced.connect();
  return {
    echo: new Echo('override', credentials, { channelOverride: balanced.channel }) as unknown as EchoStub,
    ready: () => ready,
    setEndpoints(list) {
      current = list;
      deliver();
    },
    snapshot: () => balanced.snapshot(),
    close: () => balanced.close(),
  };
}

/** What grpc-js brings, at its defaults, with the same retries if there are any. */
export function roundRobin({ addresses, retry, channelOptions }: ClientArguments): Subject {
  let current = addresses;
  let listener: grpc.experimental.ResolverListener | undefined;
  const serviceConfig: grpc.ServiceConfig = {
    loadBalancingConfig: [{ round_robin: {} }],
    methodConfig: retry ? [{ name: [{ service: SAY.service }], retryPolicy: RETRY_POLICY }] : [],
    ...(retry && { retryThrottling: { maxTokens: 100, tokenRatio: 0.1 } }),
  };
  const deliver = (): void => {
    const endpoints = addressesOf(current).map((address) => ({ addresses: [address] }));
    const { statusOrFromValue } = grpc.experimental;
    listener?.(statusOrFromValue(endpoints), {}, statusOrFromValue(serviceConfig), '');
  };
  class ListResolver implements grpc.experimental.Resolver {
    constructor(_target: unknown, given: grpc.experimental.ResolverListener) {
      listener = given;
    }

    updateResolution(): void {
      setImmediate(deliver);
    }

    destroy(): void {
      listener = undefined;
    }

    static getDefaultAuthority(): string {
      return 'localhost';
    }
  }
  grpc.experimental.registerResolver('chaos-peer', ListResolver);
  const echo = new Echo('chaos-peer:echo', credentials, { ...channelOptions }) as unknown as EchoStub;
  return {
    echo,
    ready: () =>
      new Promise((resolve, reject) => {
        echo.waitForReady(Date.now() + 10_000, (error) => (error ? reject(error) : resolve()));
      }),
    setEndpoints(list) {
      current = list;
      deliver();
    },
    snapshot: () => null,
    close: () => echo.close(),
  };
}

/** The defaults of `retry` in this package. */
const RETRY_POLICY = {
  maxAttempts: 3,
  initialBackoff: '0.05s',
  maxBackoff: '1s',
  backoffMultiplier: 2,
  retryableStatusCodes: ['UNAVAILABLE'],
};

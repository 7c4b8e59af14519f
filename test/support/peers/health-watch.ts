import {
  type Client,
  type ClientReadableStream,
  credentials,
  loadPackageDefinition,
  type ServiceClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath } from 'grpc-health-check';
import { onTestFinished } from 'vitest';

const loaded = loadPackageDefinition(loadSync(protoPath, { enums: String, defaults: true })) as unknown as {
  grpc: { health: { v1: { Health: ServiceClientConstructor } } };
};
export const { Health } = loaded.grpc.health.v1;

interface Answer {
  readonly status: string;
}

/** The health service as a client of any language calls it; it closes when the test ends. */
export interface HealthClient extends Client {
  check(request: { service: string }, callback: (error: ServiceError | null, answer?: Answer) => void): void;
  list(
    request: object,
    callback: (error: ServiceError | null, answer?: { statuses: Record<string, Answer> }) => void,
  ): void;
  watch(request: { service: string }): ClientReadableStream<Answer>;
}

export function healthClient(address: string): HealthClient {
  const client = new Health(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
  onTestFinished(() => client.close());
  return client as unknown as HealthClient;
}

/** The statuses that a watching client receives, in order. */
export class HealthWatch {
  /** How the stream ends. */
  readonly end: Promise<ServiceError>;
  readonly #told: string[] = [];
  #wake: (() => void) | undefined;

  constructor(address: string, service: string) {
    const stream = healthClient(address).watch({ service });
    stream.on('data', ({ status }: Answer) => {
      this.#told.push(status);
      this.#wake?.();
    });
    this.end = new Promise((resolve) => stream.on('error', resolve));
  }

  async next(): Promise<string> {
    while (this.#told.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#told.shift()!;
  }

  /** Received statuses that have not been read. */
  get pending(): readonly string[] {
    return this.#told;
  }
}

import * as grpc from '@grpc/grpc-js';

/** One method, in JSON, so that there is no .proto file to look for: a pod says which one it is. */
const definition: grpc.ServiceDefinition = {
  Where: {
    path: '/try.v1.Orders/Where',
    requestStream: false,
    responseStream: false,
    requestSerialize: toBytes,
    requestDeserialize: fromBytes,
    responseSerialize: toBytes,
    responseDeserialize: fromBytes,
  },
};

function toBytes(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function fromBytes(bytes: Buffer): unknown {
  return JSON.parse(bytes.toString());
}

export type OrdersStub = grpc.Client & {
  Where(request: object, options: grpc.CallOptions, done: grpc.requestCallback<{ host: string }>): void;
};
export const OrdersClient = grpc.makeGenericClientConstructor(definition, 'Orders');

export const PORT = 50051;

/** A gRPC server on an address of its own; all of 127.0.0.0/8 is this computer. */
export class Pod {
  readonly #server = new grpc.Server();

  constructor(readonly host: string) {
    this.#server.addService(definition, {
      Where: (_: unknown, done: grpc.sendUnaryData<object>) => void setTimeout(() => done(null, { host }), 10),
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      const credentials = grpc.ServerCredentials.createInsecure();
      this.#server.bindAsync(`${this.host}:${PORT}`, credentials, (error) => (error ? reject(error) : resolve()));
    });
    return this;
  }

  /** Its calls end; watches of its health would not, so it is not waited for long. */
  async stop(): Promise<void> {
    const over = setTimeout(() => this.#server.forceShutdown(), 1000);
    await new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    clearTimeout(over);
  }
}

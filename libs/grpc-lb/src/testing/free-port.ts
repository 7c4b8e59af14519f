import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';

/**
 * The ports below those that systems give to outgoing connections and to `listen(0)`: Linux from 32768 on, macOS and
 * Windows from 49152. So a port of these stays free while nobody listens on it: while a backend is stopped, or until a
 * server starts.
 */
const FIRST = 10_240;
const COUNT = 32_768 - FIRST;

/** How many ports a process has for itself. */
const SLICE = 512;

/**
 * The ports of one process, in turn. Workers of a test runner that run at the same time have different ones, as the
 * numbers of workers and of processes are consecutive.
 */
export class PortSlice {
  readonly #first: number;
  #next: number;

  /**
   * @param worker The number of the worker, or of the process.
   * @param random From 0 to below 1: where in its slice it begins, since another run may have the same slice.
   */
  constructor(worker: number, random: number = Math.random()) {
    this.#first = FIRST + (worker % Math.floor(COUNT / SLICE)) * SLICE;
    this.#next = Math.floor(random * SLICE);
  }

  next(): number {
    return this.#first + (this.#next++ % SLICE);
  }
}

/** Each test runner numbers the processes that run at the same time; without one, processes have numbers of their own. */
function workerNumber({ JEST_WORKER_ID, NODE_TEST_WORKER_ID, VITEST_POOL_ID }: NodeJS.ProcessEnv): number {
  return Number(VITEST_POOL_ID ?? JEST_WORKER_ID ?? NODE_TEST_WORKER_ID) || process.pid;
}

const ofThisProcess = new PortSlice(workerNumber(process.env));

/** Starts to listen on a port that stays free when the server stops; on any other if all of the slice are taken. */
export async function listenOnFreePort(server: Server, host: string, slice = ofThisProcess): Promise<void> {
  for (let left = SLICE; ; left--) {
    server.listen(left > 0 ? slice.next() : 0, host);
    try {
      await once(server, 'listening');
      return;
    } catch (error) {
      if (left === 0 || !isTaken(error as NodeJS.ErrnoException)) throw error;
    }
  }
}

/** By another server; or, on Windows, by the system, which says EACCES. */
function isTaken({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EADDRINUSE' || code === 'EACCES';
}

/**
 * Finds a port that is free, for a server that has to be told its port: Nest's gRPC microservice does not say which one
 * it got. Ports come in turn, from a part of those that systems do not give away by themselves; test files that run at
 * the same time have different parts. So a port that is not used yet, or not any more, is not taken meanwhile.
 *
 * @param host The address to listen on later.
 * @returns From 10240 to 32767; a higher one only if all in the part of this process are taken.
 * @throws The error of the system if the host is no address of this machine.
 * @example
 *   const url = `127.0.0.1:${await freePort()}`;
 *   const options = { url, package: 'orders.v1', protoPath: 'orders.proto' };
 *   const app = await NestFactory.createMicroservice(AppModule, grpcServer({ options }));
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = createServer();
  await listenOnFreePort(server, host);
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

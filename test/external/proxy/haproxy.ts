import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** haproxy as a connection-level (L4) load balancer in front of some addresses: one connection goes to one of them. */
export class Haproxy {
  port = 0;
  #process: ChildProcess | undefined;
  #directory = '';

  constructor(
    private readonly backends: readonly string[],
    /** How many of them take connections from the start. */
    private readonly enabled = backends.length,
  ) {}

  async start(): Promise<this> {
    this.#directory = await mkdtemp(join(tmpdir(), 'grpc-lb-haproxy-'));
    this.port = await freePort();
    const servers = this.backends.map((address, i) => `server s${i} ${address}${i < this.enabled ? '' : ' disabled'}`);
    await writeFile(
      join(this.#directory, 'haproxy.cfg'),
      `global
  stats socket ${this.#socket} level admin
defaults
  mode tcp
  timeout connect 5s
  timeout client 1m
  timeout server 1m
frontend front
  bind 127.0.0.1:${this.port}
  default_backend back
backend back
  balance leastconn
  ${servers.join('\n  ')}
`,
    );
    this.#process = spawn('haproxy', ['-db', '-f', join(this.#directory, 'haproxy.cfg')], { stdio: 'ignore' });
    await Promise.race([
      once(this.#process, 'error').then(([error]) => Promise.reject(error as Error)),
      this.#listening(),
    ]);
    return this;
  }

  /** Lets a backend that was disabled take connections from now on. */
  async enable(index: number): Promise<void> {
    const socket = net.connect(this.#socket);
    socket.end(`set server back/s${index} state ready\n`).resume();
    await once(socket, 'close');
  }

  async stop(): Promise<void> {
    const process = this.#process!;
    const exit = once(process, 'exit');
    process.kill('SIGKILL');
    await exit;
    await rm(this.#directory, { recursive: true });
  }

  get #socket(): string {
    return join(this.#directory, 'admin.sock');
  }

  async #listening(): Promise<void> {
    for (;;) {
      const socket = net.connect(this.port, '127.0.0.1');
      const connected = await once(socket, 'connect').then(
        () => true,
        () => false,
      );
      socket.destroy();
      if (connected) return;
    }
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

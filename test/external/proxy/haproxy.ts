import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from 'nestjs-grpc-lb/testing';
import { Child } from '../../../apps/demo-client/src/runner/child-process.js';
import { accepting } from '../../support/run/accepting.js';

/** haproxy as a connection-level (L4) load balancer in front of some addresses: one connection goes to one of them. */
export class Haproxy {
  port = 0;
  #process: Child | undefined;
  #directory = '';

  constructor(
    private readonly backends: readonly string[],
    /** The number of backends that accept connections from the start. */
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
    this.#process = new Child(['haproxy', '-db', '-f', join(this.#directory, 'haproxy.cfg')], { quiet: true });
    await this.#process.unlessEnded(accepting(this.port));
    return this;
  }

  /** Enables a disabled backend. */
  async enable(index: number): Promise<void> {
    const socket = net.connect(this.#socket);
    socket.end(`set server back/s${index} state ready\n`).resume();
    await once(socket, 'close');
  }

  async stop(): Promise<void> {
    await this.#process!.kill();
    await rm(this.#directory, { recursive: true });
  }

  get #socket(): string {
    return join(this.#directory, 'admin.sock');
  }
}

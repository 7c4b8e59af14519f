import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from 'nestjs-grpc-lb/testing';
import { Child } from '../../../apps/demo-client/src/runner/child-process.js';
import { accepting } from '../../support/run/accepting.js';

interface Program {
  /** The file that the program reads, and its command. With `host`, other names get 404. */
  readonly config: (port: number, backends: readonly string[], directory: string, host?: string) => string;
  readonly command: (file: string, port: number) => readonly string[];
  /** Lets the program read its configuration again: new connections go to new workers, old ones end with GOAWAY. */
  readonly reload: NodeJS.Signals;
  /** What it writes when it has. */
  readonly reloaded?: RegExp;
}

/** Proxies that end HTTP/2 on both sides (L7), and share the calls of a connection among backends. */
export const PROGRAMS = {
  nginx: {
    config: (port, backends, directory, host) => `
daemon off;
worker_processes 1;
pid ${directory}/nginx.pid;
error_log stderr error;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  upstream back {
    ${backends.map((address) => `server ${address};`).join('\n    ')}
    keepalive 100;
  }
  ${host === undefined ? '' : `server { listen 127.0.0.1:${port} http2 default_server; return 404; }`}
  server {
    listen 127.0.0.1:${port} http2;
    ${host === undefined ? '' : `server_name ${host};`}
    location / { grpc_pass grpc://back; }
  }
}
`,
    command: (file) => ['nginx', '-c', file],
    reload: 'SIGHUP',
  },
  haproxy: {
    config: (port, backends, directory, host) => `
global
  stats socket ${directory}/admin.sock level admin expose-fd listeners
defaults
  mode http
  timeout connect 5s
  timeout client 1m
  timeout server 1m
frontend front
  bind 127.0.0.1:${port} proto h2
  ${host === undefined ? '' : `http-request deny deny_status 404 unless { req.hdr(host),field(1,:) -m str ${host} }`}
  default_backend back
backend back
  balance leastconn
  ${backends.map((address, i) => `server s${i} ${address} proto h2`).join('\n  ')}
`,
    command: (file) => ['haproxy', '-W', '-db', '-f', file],
    reload: 'SIGUSR2',
    reloaded: /Loading success/,
  },
  nghttpx: {
    config: (port, backends) => `
frontend=127.0.0.1,${port};no-tls
${backends.map((address) => `backend=${address.replace(':', ',')};/;proto=h2`).join('\n')}
workers=1
errorlog-file=/dev/null
`,
    command: (file) => ['nghttpx', `--conf=${file}`],
    reload: 'SIGHUP',
  },
} as const satisfies Record<string, Program>;

export type ProgramName = keyof typeof PROGRAMS;

/** A running proxy in front of some addresses. */
export class L7Proxy {
  port = 0;
  #process: Child | undefined;
  #directory = '';
  readonly #program: Program;

  constructor(
    name: ProgramName,
    private readonly backends: readonly string[],
    /** The only name that it serves; undefined for all names. */
    private readonly host?: string,
  ) {
    this.#program = PROGRAMS[name];
  }

  async start(): Promise<this> {
    this.#directory = await mkdtemp(join(tmpdir(), 'grpc-lb-proxy-'));
    this.port = await freePort();
    const file = join(this.#directory, 'proxy.conf');
    await writeFile(file, this.#program.config(this.port, this.backends, this.#directory, this.host));
    this.#process = new Child(this.#program.command(file, this.port), { quiet: true });
    await this.#process.unlessEnded(accepting(this.port));
    return this;
  }

  async reload(): Promise<void> {
    const { reload, reloaded } = this.#program;
    // It misses a signal while it still handles the last one.
    const done = reloaded && this.#process!.nextLine(reloaded);
    this.#process!.signal(reload);
    await done;
  }

  async stop(): Promise<void> {
    // SIGKILL would leave its workers.
    this.#process!.signal('SIGTERM');
    await this.#process!.ended;
    await rm(this.#directory, { recursive: true });
  }
}

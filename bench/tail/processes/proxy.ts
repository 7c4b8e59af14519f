import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from 'nestjs-grpc-lb/testing';
import { Child } from '../../../apps/demo-client/src/runner/child-process.js';
import type { ProxyName } from '../subjects.js';
import { accepting } from '../../../test/support/run/accepting.js';

/** A proxy of Debian that balances calls, not connections, each to the backend with the fewest. */
export class Proxy {
  private constructor(
    readonly address: string,
    private readonly process: Child,
    private readonly directory: string,
  ) {}

  static async start(name: ProxyName, backends: readonly string[]): Promise<Proxy> {
    const directory = await mkdtemp(join(tmpdir(), `grpc-lb-${name}-`));
    const port = await freePort();
    const file = join(directory, 'proxy.conf');
    await writeFile(file, CONFIGS[name](port, backends, directory));
    const [command, args] = COMMANDS[name](file, directory);
    const child = new Child([command, ...args], { quiet: true });
    await child.unlessEnded(accepting(port), `: is it installed? apt-get install ${PACKAGES[name]}`);
    return new Proxy(`127.0.0.1:${port}`, child, directory);
  }

  async stop(): Promise<void> {
    this.process.signal('SIGTERM');
    await this.process.ended;
    await rm(this.directory, { recursive: true, force: true });
  }
}

export const PACKAGES: Readonly<Record<ProxyName, string>> = { haproxy: 'haproxy', nginx: 'nginx-light' };

const COMMANDS: Readonly<Record<ProxyName, (file: string, directory: string) => [string, string[]]>> = {
  haproxy: (file) => ['haproxy', ['-db', '-f', file]],
  nginx: (file, directory) => ['nginx', ['-p', directory, '-c', file, '-g', 'daemon off;']],
};

type Config = (port: number, backends: readonly string[], directory: string) => string;

const CONFIGS: Readonly<Record<ProxyName, Config>> = {
  haproxy: (port, backends) => `defaults
  mode http
  timeout connect 5s
  timeout client 1m
  timeout server 1m
frontend front
  bind 127.0.0.1:${port} proto h2
  default_backend back
backend back
  balance leastconn
  ${backends.map((address, i) => `server s${i} ${address} proto h2`).join('\n  ')}
`,
  // Limits that one busy client would run into are raised.
  nginx: (port, backends, directory) => `pid ${directory}/pid;
error_log ${directory}/error.log crit;
worker_processes 2;
events { worker_connections 8192; }
http {
  access_log off;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  upstream back {
    zone back 256k;
    least_conn;
    ${backends.map((address) => `server ${address};`).join('\n    ')}
    keepalive 256;
  }
  server {
    listen 127.0.0.1:${port} http2;
    http2_max_concurrent_streams 4096;
    keepalive_requests 10000000;
    location / { grpc_pass grpc://back; }
  }
}
`,
};

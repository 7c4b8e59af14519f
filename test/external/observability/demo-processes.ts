import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { FromBackend, ToBackend } from 'demo-server/control';
import { freePort } from 'nestjs-grpc-lb/testing';
import type { FromClient, ToClient } from '../../../apps/demo-client/src/runner-messages.js';
import { Child, node } from '../../../apps/demo-client/src/runner/child-process.js';
import { type Settings, SETTINGS_VARIABLE } from '../../../apps/demo-client/src/settings.js';
import type { ScrapeTarget } from './prometheus.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

type Server = Child<FromBackend, ToBackend>;

/** The applications of the demo: a client that calls three servers 60 times a second. */
export class DemoProcesses {
  readonly servers: Server[] = [];
  #client: Child<FromClient, ToClient> | undefined;
  #ports: readonly number[] = [];
  #metricsPorts: readonly number[] = [];

  /** Builds and starts them. Resolves with what Prometheus scrapes. */
  async start(): Promise<ScrapeTarget[]> {
    await promisify(execFile)('npm', ['run', '--silent', 'build'], { cwd: ROOT });
    const threePorts = () => Promise.all([freePort(), freePort(), freePort()]);
    [this.#ports, this.#metricsPorts] = [await threePorts(), await threePorts()];
    for (const i of this.#ports.keys()) await this.startServer(i);
    const addresses = this.#ports.map((port) => `127.0.0.1:${port}`);
    const httpPort = await freePort();
    const settings: Partial<Settings> = { addresses, httpPort, anyPort: false, rate: 60, baselineSeconds: 0 };
    const env = {
      [SETTINGS_VARIABLE]: JSON.stringify(settings),
      GRPC_LB_ORDERS_CLIENT_TARGET: `static:///${addresses.join(',')}`,
    };
    this.#client = new Child(node(`${ROOT}apps/demo-client/dist/main.js`), { env, quiet: true });
    await this.#client.next('listening');
    return [
      { job: 'demo-client', address: `127.0.0.1:${httpPort}` },
      ...this.#metricsPorts.map((port) => ({ job: 'demo-server', address: `127.0.0.1:${port}` })),
    ];
  }

  /** Starts a server, or starts it again where it was. */
  async startServer(i: number): Promise<void> {
    const env = { PORT: String(this.#ports[i]), METRICS_PORT: String(this.#metricsPorts[i]), DELAY_MS: '5' };
    const server: Server = new Child(node(`${ROOT}apps/demo-server/dist/main.js`), { env, quiet: true });
    this.servers[i] = server;
    await server.next('listening');
  }

  async close(): Promise<void> {
    await this.#client?.kill();
    await Promise.all(this.servers.map((server) => server.kill()));
  }
}

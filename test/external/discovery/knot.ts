import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const ZONE = 'shop.test';

/** An authoritative DNS server of `shop.test`, whose records are changed while it runs. */
export class Knot {
  #port = 0;
  #process: ChildProcess | undefined;
  #directory = '';

  /** As it stands in a target: `dns://127.0.0.1:5353/...`. */
  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Answers when it resolves; on the port and with the zone that it had before when it is started again. */
  async start(): Promise<this> {
    if (this.#directory === '') await this.#prepare();
    const server = spawn('knotd', ['-c', join(this.#directory, 'knot.conf')], { stdio: 'ignore' });
    this.#process = server;
    await Promise.race([
      once(server, 'error').then(([error]) => Promise.reject(error as Error)),
      once(server, 'exit').then(([code]) => Promise.reject(new Error(`knotd ended with ${code}`))),
      this.#answering(),
    ]);
    return this;
  }

  /** Its port refuses questions from now on; its zone stays on the disk. */
  async stop(): Promise<void> {
    const server = this.#process;
    if (!server) return;
    this.#process = undefined;
    const exit = once(server, 'exit');
    server.kill('SIGKILL');
    await exit;
  }

  /** As a machine that hangs: questions arrive, and nothing comes back. */
  freeze(): void {
    this.#process!.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process!.kill('SIGCONT');
  }

  async close(): Promise<void> {
    await this.stop();
    await rm(this.#directory, { recursive: true });
  }

  /** All records of one name and type; none removes them. */
  async set(name: string, ttl: number, type: string, ...data: readonly string[]): Promise<void> {
    await this.change([name, ttl, type, ...data]);
  }

  /** Several at once, so that nobody sees one without the others. */
  async change(
    ...sets: readonly (readonly [name: string, ttl: number, type: string, ...data: string[]])[]
  ): Promise<void> {
    await this.#control('zone-begin', ZONE);
    for (const [name, ttl, type, ...data] of sets) {
      const owner = `${name}.${ZONE}.`;
      // It may have none.
      await this.#control('zone-unset', ZONE, owner, type).catch(() => {});
      for (const each of data) await this.#control('zone-set', ZONE, owner, String(ttl), type, each);
    }
    await this.#control('zone-commit', ZONE);
  }

  async #control(...command: readonly string[]): Promise<void> {
    await run('knotc', ['-s', this.#socket, ...command]);
  }

  get #socket(): string {
    return join(this.#directory, 'knot.sock');
  }

  async #prepare(): Promise<void> {
    this.#directory = await mkdtemp(join(tmpdir(), 'grpc-lb-knot-'));
    this.#port = await freePort();
    await writeFile(
      join(this.#directory, 'knot.conf'),
      `server:
    rundir: "${this.#directory}"
    listen: 127.0.0.1@${this.#port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: "${this.#directory}"
control:
    listen: "${this.#socket}"
zone:
  - domain: ${ZONE}
    storage: "${this.#directory}"
    file: zone
    # Every change is on the disk when it is committed.
    zonefile-sync: 0
    journal-content: none
`,
    );
    const records = ['@ SOA ns admin 1 60 60 3600 1', '@ NS ns', 'ns A 127.0.0.1'];
    await writeFile(join(this.#directory, 'zone'), [`$ORIGIN ${ZONE}.`, '$TTL 1', ...records, ''].join('\n'));
  }

  async #answering(): Promise<void> {
    for (;;) {
      const resolver = new Resolver({ timeout: 100, tries: 1 });
      resolver.setServers([this.address]);
      const answered = await resolver.resolveSoa(ZONE).then(
        () => true,
        () => false,
      );
      if (answered) return;
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

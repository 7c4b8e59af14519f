import { execFile } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from 'nestjs-grpc-lb/testing';
import { Child } from '../../../apps/demo-client/src/runner/child-process.js';

const run = promisify(execFile);

export const ZONE = 'shop.test';

/** An authoritative DNS server of `shop.test`, whose records are changed while it runs. */
export class Knot {
  #port = 0;
  #process: Child | undefined;
  #directory = '';

  /** As it stands in a target: `dns://127.0.0.1:5353/...`. */
  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Answers when it resolves; on the port and with the zone that it had before when it is started again. */
  async start(): Promise<this> {
    if (this.#directory === '') await this.#prepare();
    this.#process = new Child(['knotd', '-c', join(this.#directory, 'knot.conf')], { quiet: true });
    await this.#process.unlessEnded(this.#answering());
    return this;
  }

  /** Its port refuses questions from now on; its zone stays on the disk. */
  async stop(): Promise<void> {
    const server = this.#process;
    if (!server) return;
    this.#process = undefined;
    await server.kill();
  }

  /** As a machine that hangs: questions arrive, and nothing comes back. */
  freeze(): void {
    this.#process!.signal('SIGSTOP');
  }

  thaw(): void {
    this.#process!.signal('SIGCONT');
  }

  async close(): Promise<void> {
    await this.stop();
    await rm(this.#directory, { recursive: true });
  }

  /** All records of one name and type; none removes them. */
  async set(name: string, ttl: number, type: string, ...data: readonly string[]): Promise<void> {
    await this.change([name, ttl, type, ...data]);
  }

  /** Several at once, so that no answer has one without the others. */
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

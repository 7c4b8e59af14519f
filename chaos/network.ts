import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const run = (command: string): Promise<unknown> => {
  const [file, ...args] = command.split(' ') as [string, ...string[]];
  return execute(file, args);
};

let networks = 0;
const open = new Set<string>();
// When the runner is stopped half-way.
process.on('exit', () => open.forEach((name) => execFileSync('ip', ['netns', 'delete', name])));

/** A network namespace, reached over a pair of virtual wires, in which every packet may be dropped without a word. */
export class Network {
  readonly host: string;
  readonly #gateway: string;
  readonly #name = `chaos-${process.pid}-${++networks}`;
  /** Names of interfaces have 15 characters at most. */
  readonly #wire = `cw${process.pid}-${networks}`;

  private constructor() {
    this.#gateway = `10.213.${networks}.1`;
    this.host = `10.213.${networks}.2`;
  }

  /** Why there can be none on this machine; undefined if there can. */
  static async missing(): Promise<string | undefined> {
    if (process.getuid?.() !== 0) return 'needs root, to make a network namespace';
    for (const tool of ['ip -V', 'nft --version']) {
      const there = await run(tool).then(
        () => true,
        () => false,
      );
      if (!there) return `needs ${tool.split(' ', 1)[0]} (Debian: iproute2, nftables)`;
    }
    try {
      await (await Network.open()).close();
      return undefined;
    } catch (error) {
      return `no network namespace can be made here: ${(error as Error).message.trim().split('\n').at(-1)}`;
    }
  }

  static async open(): Promise<Network> {
    const network = new Network();
    try {
      await network.#open();
    } catch (error) {
      await network.close();
      throw error;
    }
    return network;
  }

  /** Runs a command inside. */
  get prefix(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name];
  }

  /** From now on no packet comes in or goes out. Both ends still believe in the connection. */
  async drop(): Promise<void> {
    const inside = this.prefix.join(' ');
    await run(`${inside} nft add table inet chaos`);
    for (const hook of ['input', 'output']) {
      const chain = `{ type filter hook ${hook} priority 0; policy drop; }`;
      await execute(this.prefix[0]!, [...this.prefix.slice(1), 'nft', `add chain inet chaos ${hook} ${chain}`]);
    }
  }

  /** Packets flow again. */
  async restore(): Promise<void> {
    await run(`${this.prefix.join(' ')} nft delete table inet chaos`);
  }

  /** The wires go with it. */
  async close(): Promise<void> {
    await run(`ip link delete ${this.#wire}`).catch(() => {});
    await run(`ip netns delete ${this.#name}`).catch(() => {});
    open.delete(this.#name);
  }

  async #open(): Promise<void> {
    const inside = this.prefix.join(' ');
    await run(`ip netns add ${this.#name}`);
    open.add(this.#name);
    await run(`ip link add ${this.#wire} type veth peer name eth0 netns ${this.#name}`);
    await run(`ip addr add ${this.#gateway}/30 dev ${this.#wire}`);
    await run(`ip link set ${this.#wire} up`);
    await run(`${inside} ip addr add ${this.host}/30 dev eth0`);
    await run(`${inside} ip link set eth0 up`);
    await run(`${inside} ip link set lo up`);
    // Loaded here, so that dropping is quick when its time comes.
    await run(`${inside} nft list ruleset`);
  }
}

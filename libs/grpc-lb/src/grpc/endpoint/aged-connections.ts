import type { Connection } from './connection.js';

const NONE: readonly never[] = [];

/**
 * Connections older than `maxConnectionAge`, each of which retires when its replacement is ready. Behind an L4 load
 * balancer the replacement may lead to a backend that does not serve; then the old one stays.
 */
export class AgedConnections {
  /** The replacement of each; undefined if none is being opened. */
  readonly #replacements = new Map<Connection, Connection | undefined>();

  /** @param open Opens the replacement. */
  add(aged: Connection, open: () => Connection): void {
    if (!this.#replacements.has(aged)) this.#replacements.set(aged, open());
  }

  /** Whether its replacement is being opened, which counts in its place. */
  isBeingReplaced(connection: Connection): boolean {
    return this.#replacements.get(connection) !== undefined;
  }

  /** Opens the replacements that are missing. */
  replace(open: () => Connection): void {
    for (const [aged, replacement] of this.#replacements) if (!replacement) this.#replacements.set(aged, open());
  }

  /** Returns the connections whose replacement serves, or that do not serve themselves, and forgets them. */
  replaced(): readonly Connection[] {
    if (this.#replacements.size === 0) return NONE;
    const replaced = [...this.#replacements].flatMap(([aged, replacement]) =>
      replacement?.usable && (replacement.health !== 'not_serving' || aged.health === 'not_serving') ? aged : [],
    );
    for (const aged of replaced) this.#replacements.delete(aged);
    return replaced;
  }

  /** Returns the connections that a new one replaces, and forgets them. */
  replacedBy(connection: Connection): Connection[] {
    const replaced = this.replacedIfReady(connection);
    for (const aged of replaced) this.#replacements.delete(aged);
    return replaced;
  }

  /** The connections that a new one would replace. */
  replacedIfReady(connection: Connection): Connection[] {
    return [...this.#replacements].flatMap(([aged, replacement]) => (replacement === connection ? aged : []));
  }

  /** Forgets a connection. Returns whether it was a replacement: the connection that it was to replace waits for another. */
  forget(connection: Connection): boolean {
    this.#replacements.delete(connection);
    const waiting = [...this.#replacements].filter(([, replacement]) => replacement === connection);
    for (const [aged] of waiting) this.#replacements.set(aged, undefined);
    return waiting.length > 0;
  }

  clear(): void {
    this.#replacements.clear();
  }
}

import type { Connection } from './connection.js';

/**
 * The connections that may be picked: those that serve and are not suspect, else all that are connected. The balancer
 * then decides whether to use them.
 */
export function usableOf(all: readonly Connection[]): readonly Connection[] {
  const usable = all.filter((connection) => connection.usable);
  const answering = usable.filter(({ suspicion }) => suspicion === undefined);
  const serving = answering.filter(({ health }) => health !== 'not_serving');
  return [serving, answering, usable].find(({ length }) => length > 0) ?? [];
}

/**
 * Returns the connection for a call, or undefined if all are full. Calls are spread evenly over the base, because each
 * connection may lead to another backend behind an L4 load balancer; extra connections are used only when the base is
 * full, the oldest first (gRFC A105), so that unneeded ones become idle.
 *
 * @param size How many connections are the base.
 * @param turn Counts the calls, so that equal connections take turns.
 */
export function leastBusy(usable: readonly Connection[], size: number, turn: number): Connection | undefined {
  const base = Math.min(size, usable.length);
  const start = turn % base;
  let least: Connection | undefined;
  for (let i = 0; i < base; i++) {
    const connection = usable[(start + i) % base]!;
    if (connection.hasRoom && (!least || connection.inFlight < least.inFlight)) least = connection;
  }
  return least ?? usable.find((connection, i) => i >= base && connection.hasRoom);
}

import type { EventEmitter } from 'node:events';
import { callEach } from '../../core/call-each.js';

/** What follows each parent. Node.js warns of a leak if each of more than ten calls of a handler listens by itself. */
const followers = new WeakMap<EventEmitter, { readonly all: Set<() => void>; readonly tell: () => void }>();

/** Calls back when the parent, a call of grpc-js, is cancelled. Returns a function that ends that. */
export function follow(parent: EventEmitter, cancelled: () => void): () => void {
  let found = followers.get(parent);
  if (!found) {
    const all = new Set<() => void>();
    found = { all, tell: () => callEach(all) };
    followers.set(parent, found);
    parent.on('cancelled', found.tell);
  }
  const { all, tell } = found;
  all.add(cancelled);
  return () => {
    if (!all.delete(cancelled) || all.size > 0) return;
    followers.delete(parent);
    parent.off('cancelled', tell);
  };
}

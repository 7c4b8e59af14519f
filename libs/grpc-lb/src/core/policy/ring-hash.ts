import { xxh64 } from '../hash/xxh64.js';
import type { HashKeySource, RingHashConfig } from '../options/ring-hash-options.js';
import type { Random } from '../random.js';
import { HashRing } from './hash-ring.js';
import { boundedRoom, HASHES, type Placement, type Room } from './placement.js';
import type { CallInfo, Candidate, Policy } from './policy.js';
import { Rendezvous } from './rendezvous.js';

/**
 * Calls with the same key go to the same endpoint. A key leaves its endpoint only while that endpoint may not be
 * picked, and returns to it afterwards; it never moves because other endpoints leave.
 */
export class RingHash implements Policy {
  readonly sticky = true;
  readonly #placement: Placement;

  constructor(
    private readonly config: Omit<RingHashConfig, 'name'>,
    private readonly random: Random,
  ) {
    this.#placement = config.ring === 'grpc' ? new HashRing(config) : new Rendezvous();
  }

  get keyedBy(): HashKeySource {
    return this.config.by;
  }

  pick(candidates: readonly Candidate[], { hashKey }: CallInfo): number {
    // gRFC A76: without a key "the picker will generate a random hash for the request".
    const hash = hashKey ? xxh64(hashKey) : Math.floor(this.random() * HASHES);
    return this.#placement.find(candidates, hash, this.#room(candidates));
  }

  /** With a bounded load a stream moves only forward in the order of its key, or it would move whenever calls come and go. */
  home(candidates: readonly Candidate[], call: CallInfo, at: Candidate): number {
    const found = this.pick(candidates, call);
    const present = candidates.indexOf(at);
    if (this.config.boundedLoad === undefined || found === present || present < 0) return found;
    const both = [candidates[found]!, at];
    return this.#placement.find(both, xxh64(call.hashKey!), Infinity) === 0 ? found : present;
  }

  /** Without a key for a call with any key. */
  chances(candidates: readonly Candidate[], call?: CallInfo): number[] {
    if (call?.hashKey && candidates.length > 0) {
      const home = this.pick(candidates, call);
      return candidates.map((_, i) => (i === home ? 1 : 0));
    }
    return this.#placement.shares(candidates, this.#room(candidates));
  }

  members(all: readonly Candidate[]): void {
    this.#placement.members?.(all);
  }

  forget(candidate: Candidate): void {
    this.#placement.forget?.(candidate);
  }

  #room(candidates: readonly Candidate[]): Room {
    const { boundedLoad } = this.config;
    return boundedLoad === undefined ? Infinity : boundedRoom(candidates, boundedLoad);
  }
}

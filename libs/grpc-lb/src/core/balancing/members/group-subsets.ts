import type { EffectiveSubsetOptions } from '../../options/subset-options.js';
import type { Random } from '../../random.js';
import { createSubset, type Subset } from '../../subset/subset.js';
import type { Choose } from './priority-members.js';

/** A subset for each group of endpoints; each remembers its choice, until the options change. */
export class GroupSubsets {
  readonly #subsets = new Map<string, Subset>();
  #options: EffectiveSubsetOptions | undefined;
  /**
   * What the seed is made of, drawn once: the same endpoints have the lowest hashes whatever their group is called, as
   * when the last endpoint of the local zone leaves and the others are all that there are, and whatever the size is.
   */
  #drawn: number | undefined;

  constructor(private readonly random: Random) {}

  /** Returns what chooses the endpoints of a group; undefined if all are used. */
  chooser(options: EffectiveSubsetOptions | undefined): Choose | undefined {
    if (options !== this.#options) this.#subsets.clear();
    this.#options = options;
    if (options === undefined) return undefined;
    return (endpoints, group) => {
      let subset = this.#subsets.get(group);
      if (!subset) this.#subsets.set(group, (subset = createSubset(options, this.#draw)));
      return subset.choose(endpoints);
    };
  }

  readonly #draw = (): number => (this.#drawn ??= this.random());
}

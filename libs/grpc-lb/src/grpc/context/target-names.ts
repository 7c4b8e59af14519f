import { type Address, addressToString, type Endpoint } from '../../core/endpoint.js';

/** A name of each endpoint, which is that of the target that lists it: what TLS verifies, or the `:authority` of calls. */
export class TargetNames {
  readonly #same: boolean;
  readonly #byAddress = new Map<string, string | undefined>();

  /** @param names One for each target; undefined leaves the choice to the user of the name. */
  constructor(private readonly names: readonly (string | undefined)[]) {
    this.#same = names.every((name) => name === names[0]);
  }

  /** Takes the endpoints of each target. An address that several list belongs to the first, as its priority does. */
  listed(lists: readonly (readonly Endpoint[])[]): void {
    if (this.#same) return;
    this.#byAddress.clear();
    for (const [i, list] of lists.entries()) {
      for (const { address } of list) {
        const key = addressToString(address);
        if (!this.#byAddress.has(key)) this.#byAddress.set(key, this.names[i]);
      }
    }
  }

  of(address: Address): string | undefined {
    return this.#same ? this.names[0] : this.#byAddress.get(addressToString(address));
  }
}

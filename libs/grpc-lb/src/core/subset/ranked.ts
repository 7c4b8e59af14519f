/** The address of an endpoint, and the hash by which it is ordered. */
export interface Ranked {
  readonly address: string;
  readonly hash: number;
}

/** The same order whatever the order of the list; the address breaks the rare ties. */
export function byHash(a: Ranked, b: Ranked): number {
  return a.hash - b.hash || (a.address < b.address ? -1 : 1);
}

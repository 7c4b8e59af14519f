/** An endpoint's address, and the number that says where it stands among the others. */
export interface Ranked {
  readonly address: string;
  readonly hash: number;
}

/** The same order whatever the order of the list; of two with one hash, which hardly is, the address decides. */
export function byHash(a: Ranked, b: Ranked): number {
  return a.hash - b.hash || (a.address < b.address ? -1 : 1);
}

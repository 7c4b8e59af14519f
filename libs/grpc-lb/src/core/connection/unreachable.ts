/** Remedies for connections that cannot be opened, where the reason itself names none. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [/\bECONNREFUSED\b/, 'check that the server runs, and the port of the target'],
  [/\b(?:ENOTFOUND|EAI_AGAIN)\b/, 'check the host name, and that DNS resolves it on this machine'],
  [/\b(?:EHOSTUNREACH|ENETUNREACH|ENETDOWN)\b/, 'check the address, and the route to it'],
  [/\bwithin the connectTimeout\b/, 'check the address, and that no firewall drops packets to it'],
];

/** `; check ...` for a reason that a caller is told; empty if there is no known remedy. */
export function remedyFor(reason: string): string {
  const known = REMEDIES.find(([pattern]) => pattern.test(reason));
  return known ? `; ${known[1]}` : '';
}

/** Names of parameters with secret values. */
const SECRET = /token|secret|passw|credential|(?:api|access|private)[-_]?key/i;
const HIDDEN = '...';
/** How many times a part may be percent-encoded. */
const MAX_DECODINGS = 3;

/** `user:password@` or `user@` of the authority, as in `consul://user:password@agent/orders`. */
const AUTHORITY_USER = /^([^/?#]*:\/\/)(?!\.\.\.@)[^/?#]*@/;
/** `user:password@` of a path or of a target without slashes; a file or socket may well have `user@` in its path. */
const PATH_USER = /(^|[/,;])(?!unix:)[^/,;?#:@]+:[^/,;?#@]*@/g;
/**
 * Before the `@` of an address, where no host or port has one: for `dns:`, `dns+srv:`, `static:` and bare addresses.
 */
const ADDRESS_USER = /(^|,)\s*(?!unix:|\.\.\.@)[^,?#]*@/g;
const OF_ADDRESSES = /^(?:dns|dns\+srv|static):/i;

/**
 * A target for errors, events and snapshots: without user info, and without the values of parameters with
 * secret-sounding names, even if they are percent-encoded. Targets without secrets are returned unchanged.
 */
export function withoutSecrets(uri: string): string {
  const safe = hideValues(hideUsers(uri));
  const decoded = decodedWhole(safe);
  // A secret that shows only after decoding cannot be cut out of the text.
  const hidden = hideValues(hideUsers(decoded)) === decoded;
  return hidden ? safe : `${/^[a-z][a-z0-9+.-]*:/i.exec(uri)?.[0] ?? ''}${HIDDEN}`;
}

/** Whether the target carries user info or another secret. */
export function hasSecrets(uri: string): boolean {
  return withoutSecrets(uri) !== uri;
}

function hideUsers(uri: string): string {
  const text = uri.replace(AUTHORITY_USER, `$1${HIDDEN}@`);
  const [, prefix, path, rest] = /^([a-z][a-z0-9+.-]*:(?:\/\/[^/?#]*)?\/?)?([^?#]*)(.*)$/is.exec(text)!;
  const scheme = prefix ?? '';
  // In `user:password@host:1` the user name looks like a scheme.
  if (!scheme.includes('/') && !OF_ADDRESSES.test(scheme) && PATH_USER.test(text)) {
    PATH_USER.lastIndex = 0;
    return text.replace(PATH_USER, `$1${HIDDEN}@`);
  }
  const user = OF_ADDRESSES.test(scheme) ? ADDRESS_USER : PATH_USER;
  return `${scheme}${path!.replace(user, `$1${HIDDEN}@`)}${rest}`;
}

function hideValues(text: string): string {
  let safe = '';
  let from = 0;
  for (const { index, 0: name } of text.matchAll(/[^?&#;,/=]*=/g)) {
    if (index < from || !SECRET.test(decodedWhole(name))) continue;
    const start = index + name.length;
    const end = text.indexOf('&', start);
    safe += text.slice(from, start) + HIDDEN;
    from = end < 0 ? text.length : end;
  }
  return safe + text.slice(from);
}

function decodedWhole(text: string): string {
  let decoded = text;
  for (let i = 0; i < MAX_DECODINGS; i++) decoded = decoded.replace(/%[0-7][0-9a-f]/gi, decodeURIComponent);
  return decoded;
}

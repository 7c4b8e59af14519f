/** Names of parameters whose values are nobody's business. */
const SECRET = /token|secret|passw|credential|(?:api|access|private)[-_]?key/i;
const HIDDEN = '...';
/** How often something may have been escaped. */
const MAX_DECODINGS = 3;

/**
 * A target as it may stand in an error: without user info, and without the values of parameters that are named like
 * secrets, however the names are escaped. The same text if there are none.
 */
export function withoutSecrets(uri: string): string {
  const safe = hideValues(uri.replace(/^([^/?#]*:\/\/)[^/?#]*@/, `$1${HIDDEN}@`));
  const decoded = decodedWhole(safe);
  // What only shows once it is decoded cannot be cut out of the text.
  const hidden = hideValues(decoded) === decoded && !/^[^/?#]*:\/\/(?!\.\.\.@)[^/?#]*@/.test(decoded);
  return hidden ? safe : `${/^[a-z][a-z0-9+.-]*:/i.exec(uri)?.[0] ?? ''}${HIDDEN}`;
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

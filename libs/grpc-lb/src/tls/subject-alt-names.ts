/** One name in a certificate. */
export interface SubjectAltName {
  /** As Node writes it: `DNS`, `URI`, `IP Address`, `email`, ... */
  readonly kind: string;
  readonly value: string;
}

const QUOTED = /^"(?:[^"\\]|\\.)*"/;

/**
 * The names in a certificate, from Node's text of them: `DNS:orders, URI:spiffe://a/b`. Node writes a value that
 * contains a comma, a quote or a control character as JSON, so that no value can pretend to be several names
 * (CVE-2021-44532). Whatever else cannot be understood ends the list, so that it never counts as a name.
 */
export function subjectAltNames(text: string | undefined): SubjectAltName[] {
  const names: SubjectAltName[] = [];
  let rest = text ?? '';
  while (rest !== '') {
    const colon = rest.indexOf(':');
    if (colon < 0) break;
    const kind = rest.slice(0, colon);
    rest = rest.slice(colon + 1);
    const quoted = QUOTED.exec(rest)?.[0];
    const end = quoted?.length ?? endOf(rest);
    const value = quoted === undefined ? rest.slice(0, end) : unquoted(quoted);
    rest = rest.slice(end);
    if (value === undefined || (rest !== '' && !rest.startsWith(', '))) break;
    rest = rest.slice(2);
    names.push({ kind, value });
  }
  return names;
}

function endOf(rest: string): number {
  const comma = rest.indexOf(', ');
  return comma < 0 ? rest.length : comma;
}

function unquoted(json: string): string | undefined {
  try {
    return JSON.parse(json) as string;
  } catch {
    return undefined;
  }
}

import type { IncomingHttpHeaders } from 'node:http';

/** The header that the page sends with an action. A page of another site cannot set it without asking first (CORS). */
const ACTION_HEADER = 'x-grpc-lb-console';

/** Why an action is refused: it does not come from the page. Undefined if it does. */
export function foreignAction(headers: IncomingHttpHeaders): string | undefined {
  if (headers[ACTION_HEADER] !== 'act') return `the header ${ACTION_HEADER}: act is missing`;
  if (!/^application\/json\b/i.test(headers['content-type'] ?? '')) return 'the content type is not application/json';
  // An application that allows every origin by CORS would let other sites set the header.
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' ? undefined : 'the request comes from another site';
  const { origin } = headers;
  if (origin === undefined) return undefined;
  return URL.canParse(origin) && new URL(origin).host === headers.host
    ? undefined
    : 'the request comes from another site';
}

import { splitHostPort } from '../experimental.js';

/** The `service_url` for call credentials, which they may put into a token. */
export function serviceUrl(authority: string, path: string): string {
  const host = splitHostPort(authority)?.host ?? 'localhost';
  return `https://${host}/${path.split('/')[1] ?? ''}`;
}

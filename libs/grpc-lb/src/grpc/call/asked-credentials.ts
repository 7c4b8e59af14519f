import { type CallCredentials, type Metadata, status as Status } from '@grpc/grpc-js';
import { serviceUrl } from './service-url.js';
import { controlPlaneStatus } from './wire-status.js';

/** The call for which call credentials are asked. */
export interface AuthorizedCall {
  readonly host: string;
  /** As in `/orders.v1.Orders/Find`. */
  readonly method: string;
}

/** What call credentials have given. */
export interface Authorized {
  readonly metadata: Metadata;
  /** When, by the clock. */
  readonly at: number;
}

/** A token may be valid for seconds only, and an attempt may wait for much longer. */
const OLD_MS = 1000;

/** Whether an attempt has waited for so long since that its credentials must be asked again. */
export function isOld({ at }: Authorized, now: number): boolean {
  return now - at > OLD_MS;
}

/** Why a call with credentials is refused without TLS. */
export const PLAINTEXT =
  'the call has credentials, but without TLS they would be sent in plaintext; ' +
  'give the client TLS (tls: {}, or credentials: credentials.createSsl()), or remove the credentials of the call';

/**
 * Asks the credentials of a call and those of its channel for metadata, such as a token. Rejects with what they throw,
 * or call back with, or if they give something else, so that credentials that fail, fail only this call.
 */
export async function askCredentials(
  own: CallCredentials | undefined,
  ofChannel: CallCredentials | undefined,
  { host, method }: AuthorizedCall,
): Promise<Metadata> {
  const credentials = own && ofChannel ? own.compose(ofChannel) : (own ?? ofChannel)!;
  const given: unknown = await credentials.generateMetadata({
    method_name: method,
    service_url: serviceUrl(host, method),
  });
  if (typeof (given as Partial<Metadata> | null)?.toHttp2Headers === 'function') return given as Metadata;
  // Not what it is: it may be secret.
  throw new TypeError(
    `it gave ${given === null ? 'null' : `a value of type ${typeof given}`}, not Metadata of grpc-js`,
  );
}

/** The status of a call whose credentials failed, in the words of grpc-js. */
export function credentialsFailure(error: unknown): { readonly code: Status; readonly details: string } {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const details = `Getting metadata from plugin failed with error: ${String(message ?? error)}`;
  return controlPlaneStatus(typeof code === 'number' ? code : Status.UNKNOWN, details);
}

import { isObject, shown } from '../../core/options/validation.js';
import { printable } from '../../core/printable.js';

export interface WatchListener {
  /** The API server has accepted the watch. */
  onOpen(): void;
  /** The objects that arrived together, usually one event. */
  onEvents(events: readonly unknown[]): void;
}

/** The queries to the API server about the slices of one Service. Tests replace them by one without sockets. */
export interface SliceApi {
  /** One page of the list: its items one by one, as they arrive, and finally the rest of it. */
  list(continueToken: string | undefined, onItem: (item: unknown) => void, signal: AbortSignal): Promise<unknown>;
  /** Resolves when the watch ends regularly, and rejects when it is refused or breaks. */
  watch(resourceVersion: string, timeoutMs: number, listener: WatchListener, signal: AbortSignal): Promise<void>;
}

/** The API server has answered with a refusal. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** Milliseconds; from `Retry-After`. */
    readonly retryAfterMs = 0,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/** A malformed answer. */
export class MalformedError extends Error {}

/** "410 Gone": the version from which a watch or a list should continue has expired. */
export function isExpired(error: unknown): boolean {
  return error instanceof ApiError && error.status === 410;
}

/** The error ends with the missing permission, which must not be cut off. */
const MAX_STATUS_TEXT = 250;

/** From a `Status` of Kubernetes, in the body of a refusal or in an ERROR event. */
export function errorFromStatus(status: unknown, fallbackCode: number, retryAfterMs = 0): ApiError {
  const { code, reason, message } = (isObject(status) ? status : {}) as Record<string, unknown>;
  const number = Number.isInteger(code) ? (code as number) : fallbackCode;
  const texts = [reason, message].filter((part): part is string => typeof part === 'string' && part !== '');
  const words = texts.map((part) => printable(part, MAX_STATUS_TEXT)).join(': ');
  return new ApiError(number, `${number}${words === '' ? '' : ` ${words}`}`, retryAfterMs);
}

/** Those of Kubernetes are 64-bit numbers. */
const MAX_VERSION = 256;

/** The `metadata.resourceVersion` of an object or a list. */
export function versionOf(object: unknown): string {
  const version: unknown = metadataOf(object)['resourceVersion'];
  if (typeof version !== 'string' || version === '') {
    throw new MalformedError(`an answer without a resourceVersion: ${shown(object)}`);
  }
  // It is sent back in a URL.
  if (version.length > MAX_VERSION) throw new MalformedError(`a resourceVersion of ${version.length} characters`);
  return version;
}

export function metadataOf(object: unknown): Readonly<Record<string, unknown>> {
  const { metadata } = (isObject(object) ? object : {}) as { metadata?: unknown };
  return (isObject(metadata) ? metadata : {}) as Record<string, unknown>;
}

import { isObject, shown } from '../../core/options/validation.js';
import { printable } from '../../core/printable.js';

export interface WatchListener {
  /** The API server has accepted the watch. */
  onOpen(): void;
  /** What has come at once, mostly one event. */
  onEvents(events: readonly unknown[]): void;
}

/** What is asked of the API server about the slices of one Service. Tests have one without sockets. */
export interface SliceApi {
  /** One page of the list: its items one by one, as they come, and at last the rest of it. */
  list(continueToken: string | undefined, onItem: (item: unknown) => void, signal: AbortSignal): Promise<unknown>;
  /** Resolves when the watch ends in good order, and rejects when it is refused or breaks. */
  watch(resourceVersion: string, timeoutMs: number, listener: WatchListener, signal: AbortSignal): Promise<void>;
}

/** The API server has answered, and the answer is no. */
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

/** An answer that is malformed. */
export class MalformedError extends Error {}

/** "410 Gone": the version that a watch or a list goes on from is no longer known. */
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

/** Those of Kubernetes are numbers of 64 bits. */
const MAX_VERSION = 256;

/** The `metadata.resourceVersion` of an object or a list. */
export function versionOf(object: unknown): string {
  const version: unknown = metadataOf(object)['resourceVersion'];
  if (typeof version !== 'string' || version === '') {
    throw new MalformedError(`an answer without a resourceVersion: ${shown(object)}`);
  }
  // It travels back in a URL.
  if (version.length > MAX_VERSION) throw new MalformedError(`a resourceVersion of ${version.length} characters`);
  return version;
}

export function metadataOf(object: unknown): Readonly<Record<string, unknown>> {
  const { metadata } = (isObject(object) ? object : {}) as { metadata?: unknown };
  return (isObject(metadata) ? metadata : {}) as Record<string, unknown>;
}

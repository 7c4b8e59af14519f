import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { ClusterRequest } from './cluster.js';
import { parseBoundedJson } from '../../core/bounded-json.js';
import { ApiError, errorFromStatus } from './slice-api.js';

const MAX_REFUSAL_CHARS = 64 * 2 ** 10;
/** A `Status` has some ten. */
const MAX_REFUSAL_VALUES = 1000;
const MAX_RETRY_AFTER_MS = 300_000;

/** Receives a good answer, as it arrives. */
export interface AnswerReader {
  onOpen(): void;
  /** An error that it throws ends the request. */
  onText(text: string): void;
}

/**
 * Resolves at the end of a good answer, and rejects with an `ApiError` otherwise. It does not keep the process alive.
 * Uses `node:http`, not `fetch`, because it accepts the agent, and so the proxy and the certificates, that
 * `@kubernetes/client-node` creates.
 */
export function httpGet({ url, options }: ClusterRequest, reader: AnswerReader, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? requestHttps : requestHttp;
    const headers = { accept: 'application/json', 'user-agent': 'nestjs-grpc-lb', ...options.headers };
    boundBy(signal, options.agent);
    const request = send(url, { ...options, headers, signal });
    request.on('socket', (socket) => socket.unref());
    request.on('error', reject);
    request.on('response', (response) => {
      response.setEncoding('utf8');
      response.on('error', reject);
      response.on('close', () => reject(new Error('the connection closed in the middle of an answer')));
      if (response.statusCode !== 200) return readRefusal(response, reject);
      const guarded = (read: () => void): void => {
        try {
          read();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
          request.destroy();
        }
      };
      guarded(() => reader.onOpen());
      response.on('data', (text: string) => guarded(() => reader.onText(text)));
      response.on('end', resolve);
    });
    request.end();
  });
}

/**
 * The agent for a proxy opens its tunnel with a separate request, which a proxy that never answers would keep forever,
 * one more with each attempt.
 */
function boundBy(signal: AbortSignal, agent: unknown): void {
  const { proxyRequestOptions } = Object(agent) as { readonly proxyRequestOptions?: object };
  if (proxyRequestOptions) Object.assign(proxyRequestOptions, { signal });
}

/** An endless error response is cut off after its first characters. */
function readRefusal(response: IncomingMessage, reject: (error: Error) => void): void {
  let text = '';
  const refuse = (): void => {
    const { statusCode = 0, headers } = response;
    const seconds = /^\d{1,9}$/.test(headers['retry-after'] ?? '') ? Number(headers['retry-after']) : 0;
    const error = errorFromStatus(statusOf(text), statusCode, Math.min(seconds * 1000, MAX_RETRY_AFTER_MS));
    // All proxies in between preserve the status line.
    reject(error.status === statusCode ? error : new ApiError(statusCode, error.message, error.retryAfterMs));
    response.destroy();
  };
  response.on('data', (piece: string) => {
    text += piece;
    if (text.length > MAX_REFUSAL_CHARS) refuse();
  });
  response.on('end', refuse);
}

function statusOf(text: string): unknown {
  try {
    return parseBoundedJson(text, { maxValues: MAX_REFUSAL_VALUES });
  } catch {
    // A proxy in between answers in its own format.
    return undefined;
  }
}

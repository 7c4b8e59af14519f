import { isObject } from '../../core/options/validation.js';
import { assertParentheses, type ClientDecorator, declareResumable } from '../decorators/metadata.js';
import type { ResumableMethod, ResumableOf } from './resumable-options.js';

/**
 * Declares that the streams of a method resume: a stream whose server fails begins again where it was, and one whose
 * server is about to stop moves to another before. The subscriber sees one stream, each message once, and in order.
 *
 * @example
 *   resumable: [
 *     resumable<Feed>({
 *       method: 'watch',
 *       token: (change) => change.revision,
 *       resume: (request, token) => ({ ...request, after: token }),
 *     }),
 *   ]
 *
 * @typeParam T The interface of the service, from which the messages and requests have their types; any if it is not
 *   named.
 * @typeParam Token The type of tokens; any if it is not named.
 */
// oxlint-disable-next-line typescript/no-explicit-any
export function resumable<T = any, Token = any>(options: ResumableOf<NoInfer<T>, Token>): ResumableMethod {
  return (isObject(options) ? { ...options } : options) as unknown as ResumableMethod;
}

/**
 * The same for a client class; once for each method.
 *
 * @example
 *   @Resumable<Feed>({
 *     method: 'watch',
 *     token: (change) => change.revision,
 *     resume: (request, token) => ({ ...request, after: token }),
 *   })
 *   class FeedClient extends GrpcService<Feed>() {}
 */
// oxlint-disable-next-line typescript/no-explicit-any
export function Resumable<T = any, Token = any>(options: ResumableOf<NoInfer<T>, Token>): ClientDecorator {
  assertParentheses('@Resumable', options);
  return declareResumable(resumable<T, Token>(options));
}

import type { ServiceError } from '@grpc/grpc-js';
import type { Observable } from 'rxjs';
import type { FailureStatus } from '../../core/options/status-names.js';
import type { RequestStream } from '../service-types.js';

/** A status after which a stream may resume, by name. */
export type ResumableStatus = FailureStatus | 'OK' | 'CANCELLED';

/** What `onGap` is told. */
export interface StreamGap<Req, Token> {
  /** The token from which the server cannot begin any more. */
  readonly token: Token;
  /** The request of the subscription, or the last one that `onGap` has returned. */
  readonly request: Req;
  /** How the server refused. */
  readonly error: ServiceError;
}

/** Which requests of a bidirectional stream a new call repeats. */
export interface ReplayOptions<Req, Msg> {
  /**
   * The identity of a request that the server acknowledges, such as an id or a number, unique within the subscription.
   * Such a request is kept, and sent again on each new call, until a message acknowledges it; so the server may see it
   * more than once. Return undefined for a request that is sent only once, and lost if its call is lost; empty texts and empty bytes count as undefined. If the first
   * request has no key, it opens the stream: each call begins with it, or with what `resume` makes of it.
   */
  readonly key: (request: Req) => ReplayKey | null | undefined;
  /** The keys of the requests that a message acknowledges; undefined if it acknowledges none. */
  readonly acknowledged: (message: Msg) => ReplayKey | readonly ReplayKey[] | null | undefined;
  /**
   * Whether the acknowledgment of a request also acknowledges those before it.
   *
   * @default false
   */
  readonly cumulative?: boolean;
  /**
   * The most requests that wait to be sent or acknowledged, 1 to 100000. An iterable of requests is not read meanwhile;
   * an Observable cannot wait: if it goes on, the stream ends with RESOURCE_EXHAUSTED.
   *
   * @default 1000
   */
  readonly maxPending?: number;
  /**
   * The most bytes of requests that wait, as they are on the wire, 1 to 1073741824; the request with which they exceed
   * it is still taken. What follows is as with `maxPending`.
   *
   * @default 1048576
   */
  readonly maxPendingBytes?: number;
}

/** Identifies a request: texts, numbers, bigints, bytes and the 64-bit numbers of proto-loader, compared by their value. */
export type ReplayKey = string | number | bigint | Uint8Array | { readonly low: number; readonly high: number };

/** How the streams of one method resume and move. */
export interface ResumableOptions<Req, Msg, Token> {
  /**
   * Reads from a message where a stream may begin after it: a revision, an offset, a resume token. Texts, numbers,
   * bigints, bytes and the 64-bit numbers of proto-loader are compared by their value. Return undefined if no stream may
   * begin there, as for all but the last of several messages with one revision; empty texts and empty bytes count as
   * undefined, 0 does not.
   */
  readonly token: (message: Msg) => Token | null | undefined;
  /**
   * Makes the request of a stream that begins at a token, from the request of the subscription. The server may repeat
   * the message of the token; it is not delivered again.
   */
  readonly resume: (request: Req, token: Token) => Req;
  /**
   * Whether a message is only a place to begin at: its token is taken, and it is not delivered.
   *
   * @default no message is
   */
  readonly bookmark?: (message: Msg) => boolean;
  /**
   * The identity of a message, for methods whose messages do not all have a token: messages since the last token that a
   * new stream repeats are recognized by it. `false`: they may be delivered twice.
   *
   * @default the token
   */
  readonly dedupe?: ((message: Msg) => unknown) | false;
  /**
   * Called when the server cannot begin at the token any more. Returns the request to go on with, such as one that
   * begins with a snapshot, or a promise of it; undefined: the stream ends with the error.
   *
   * @default the stream ends with the error
   */
  readonly onGap?: (gap: StreamGap<Req, Token>) => Req | undefined | Promise<Req | undefined>;
  /**
   * Statuses by which the server says that a token is too old.
   *
   * @default `["OUT_OF_RANGE"]`
   */
  readonly gapStatusCodes?: readonly FailureStatus[];
  /**
   * Statuses of a server after which the stream resumes; any other status ends it. CANCELLED is what a grpc-js server
   * gives its streams that closes at once, as Nest's does by default. With `OK`, a stream has no end of its own: name it
   * if the service ends its streams with OK when it restarts. A server of this package that drains, or ends streams of a
   * maximum age, causes a resumption whatever the failure is.
   *
   * @default `["UNAVAILABLE", "CANCELLED"]`
   */
  readonly resumableStatusCodes?: readonly ResumableStatus[];
  /**
   * Attempts in a row to resume, 0 to Infinity (forever). The count begins again with each new message, and after ten
   * seconds on one server.
   *
   * @default Infinity
   */
  readonly maxAttempts?: number;
  /**
   * The first attempt to resume comes within so many milliseconds, at random, 1 to 60000; each further one after twice
   * the time, ± 20 %.
   *
   * @default 100
   */
  readonly initialBackoff?: number;
  /**
   * Maximum backoff in milliseconds, 1 to 600000.
   *
   * @default 10000
   */
  readonly maxBackoff?: number;
  /**
   * Moves the stream before its server ends it, and to even out the streams. `timeout`: milliseconds in which the new
   * stream must catch up with the old one, 1 to 600000; else it is given up, and the old one goes on. `false`: the
   * stream resumes after a failure, and never moves before one.
   *
   * @default `{ timeout: 5000 }`
   */
  readonly handover?: { readonly timeout?: number } | false;
  /** How the requests of a bidirectional stream are replayed: required for these, and not allowed for others. */
  readonly replay?: ReplayOptions<Req, Msg>;
}

/** The same for a method that streams its requests. */
export interface ReplayingOptions<Req, Msg, Token> extends Omit<ResumableOptions<Req, Msg, Token>, 'resume'> {
  /**
   * Makes the request that opens a stream at a token, from the first request of the subscription; undefined: the call
   * begins with the requests that are replayed.
   */
  readonly resume: (first: Req, token: Token) => Req | undefined;
  readonly replay: ReplayOptions<Req, Msg>;
}

/** A method whose streams resume, in the form that the client's options take. */
export interface ResumableMethod extends ResumableOptions<never, never, never> {
  /** The method, as in the proto file or in lower camel case. */
  readonly method: string;
}

/** The request of a method, without the wrapping of a stream of requests. */
export type RequestIn<Method> = Method extends (request: infer Req, ...rest: never[]) => unknown
  ? Req extends Observable<infer Item> | RequestStream<infer Item>
    ? Item
    : Req
  : never;

/** The messages of a method. */
export type MessageOf<Method> = Method extends (...args: never[]) => Observable<infer Msg> | AsyncIterable<infer Msg>
  ? Msg
  : never;

/** The options for a method, by whether it streams its requests. */
export type OptionsOf<Method, Token> = Method extends (request: infer Req, ...rest: never[]) => unknown
  ? // Whole: a request may be a union, as of a message and an object with some of its fields.
    [Req] extends [Observable<unknown> | RequestStream<unknown>]
    ? ReplayingOptions<RequestIn<Method>, MessageOf<Method>, Token>
    : ResumableOptions<Req, MessageOf<Method>, Token>
  : never;

/**
 * A resumable method of a service interface `T`; its messages and requests have the types of the method. With `any` for
 * `T`, they have any type.
 */
export type ResumableOf<T, Token> = 0 extends 1 & T
  ? // oxlint-disable-next-line typescript/no-explicit-any
    ResumableOptions<any, any, Token> & Pick<ResumableMethod, 'method'>
  : {
      [K in keyof T & string]: OptionsOf<T[K], Token> & {
        /** The method. */
        readonly method: K;
      };
    }[keyof T & string];

import type { Server } from '@grpc/grpc-js';
import { withErrorObjects } from './error-objects.js';
import type { ResponseSizes } from './message-sizes.js';
import { isOwnService } from './service-names.js';

type Register = (this: Server, ...args: Parameters<Server['register']>) => boolean;

/** A method that an instrumentation may have replaced; then it keeps the one that was there. */
type Marked = Register & { readonly __original?: Register };

/** What the registration of a server's methods has shown. */
export interface Registration {
  readonly sizes: ResponseSizes;
  /** The paths of methods whose handlers an instrumentation wraps. */
  readonly instrumented: Set<string>;
}

/**
 * Lets the methods of one server tell the sizes of their responses, makes their errors objects, and notes which of them
 * are instrumented. It replaces `register` of this server only.
 *
 * The server's own services are registered past an instrumentation: a watch of health would be a span that lasts as long
 * as its connection.
 */
export function observeRegistration(server: Server, { sizes, instrumented }: Registration): void {
  const register = (...[path, handler, serialize, deserialize, type]: Parameters<Server['register']>): boolean => {
    // Looked up now: an instrumentation may have come since the server was made.
    const current = (Object.getPrototypeOf(server) as { readonly register: Marked }).register;
    const own = isOwnService(path);
    const { __original: unwrapped } = current;
    if (unwrapped && !own) instrumented.add(path);
    const original = own ? (unwrapped ?? current) : current;
    const safe = own ? handler : withErrorObjects(handler, type);
    return original.call(server, path, safe, sizes.sized(serialize), deserialize, type);
  };
  server.register = register as Server['register'];
}

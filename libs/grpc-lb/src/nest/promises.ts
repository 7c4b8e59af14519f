import { firstValueFrom, isObservable } from 'rxjs';
import { GrpcLbArgumentError } from '../core/errors.js';
import { shown } from '../core/options/validation.js';
import { isCalledByOthers } from './definition/method-names.js';
import type { PromiseClient, ResponseClient } from './promise-types.js';
import { pulledBy } from './streams/iterate.js';
import { restOf } from './stub/call-arguments.js';
import { Beside } from './stub/call-response.js';
import { formsOf, streamsError } from './stub/method-forms.js';

/**
 * The methods of a client as Promises, for those with one response: a client class, what `@InjectGrpcService` injects, or
 * what `getService` returns. The same object each time. The call starts at once, and a failed one rejects with the error
 * that the Observable has. A method that streams its responses rejects too: use `iterate`.
 *
 * @example
 *   const order = await promises(this.orders).find({ id }, { timeout: 500 });
 *
 * @throws GrpcLbArgumentError if this is not a client.
 */
export function promises<Client extends object>(client: Client): PromiseClient<Client> {
  return viewOf(promiseViews, 'promises', client, promised) as PromiseClient<Client>;
}

/**
 * The same, with the headers and trailers beside each response: `{ message, headers, trailers }`. It also takes client
 * classes of Promises.
 *
 * @example
 *   const { message, trailers } = await responses(this.orders).find({ id });
 *   console.log(message.total, trailers.get('x-cost'));
 *
 * @throws GrpcLbArgumentError if this is not a client.
 */
export function responses<Client extends object>(client: Client): ResponseClient<Client> {
  return viewOf(responseViews, 'responses', client, responded) as ResponseClient<Client>;
}

type AnyMethod = (...args: unknown[]) => unknown;
type AnyClient = Readonly<Record<string, unknown>>;

/** Calls a method that is known to be a function. */
type Invoke = (client: object, method: AnyMethod, name: string, args: unknown[]) => Promise<unknown>;

const promiseViews = new WeakMap<object, object>();
const responseViews = new WeakMap<object, object>();

function viewOf(views: WeakMap<object, object>, subject: string, client: object, invoke: Invoke): object {
  if ((typeof client !== 'object' && typeof client !== 'function') || client === null) {
    throw new GrpcLbArgumentError(
      `${subject}: client is ${shown(client)}; pass an instance of a client class, or a stub`,
    );
  }
  let view = views.get(client);
  if (!view) views.set(client, (view = createView(client, invoke)));
  return view;
}

/** Its methods are made when they are first asked for; from then on they are properties like any other. */
function createView(client: object, invoke: Invoke): object {
  const missing = new Proxy(Object.prototype, {
    get(target, name, view) {
      if (typeof name === 'symbol') return Reflect.get(target, name) as unknown;
      // A method of the service may be named as what every object has, such as `toString`.
      if (name in target && !formsOf((client as AnyClient)[name], client)) return Reflect.get(target, name) as unknown;
      if (isCalledByOthers(name) || typeof (client as AnyClient)[name] !== 'function') return undefined;
      // Asked each time: a test may replace it.
      const value: AnyMethod = (...args) => invoke(client, (client as AnyClient)[name] as AnyMethod, name, args);
      Object.defineProperty(view, name, { value, configurable: true, writable: true, enumerable: true });
      return value;
    },
  });
  return Object.create(missing) as object;
}

const promised: Invoke = (client, method, name, args) => {
  const forms = formsOf(method, client);
  return forms ? forms.promise(args[0], args[1], args[2]) : only(client, method, name, args);
};

const responded: Invoke = async (client, method, name, args) => {
  const forms = formsOf(method, client);
  if (forms) return forms.response(args[0], args[1], args[2]);
  const beside = new Beside();
  const { metadata, options } = restOf(args[1], args[2]);
  const gathered = beside.gather(options ?? {});
  // In the places where the caller passed them: the method may read its second argument as options.
  const passed = metadata === undefined && args[2] === undefined ? [gathered] : [metadata, gathered];
  return beside.with(await only(client, method, name, [args[0], ...passed]));
};

/** What a function returns that stands in place of the method: one that overrides it, or one of a mock. */
async function only(client: object, method: AnyMethod, name: string, args: unknown[]): Promise<unknown> {
  const returned = method.apply(client, args);
  if (pulledBy(returned)) throw streamsError(name);
  return isObservable(returned) ? firstValueFrom(returned) : returned;
}

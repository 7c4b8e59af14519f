import { Observable } from 'rxjs';
import type { StartCall } from './start-call.js';

/**
 * One method of a service in Nest's form: a function that returns a cold Observable. Unsubscribing cancels the call; an
 * error is the ServiceError of grpc-js.
 */
export function callObservable(start: StartCall): (request: unknown, ...rest: unknown[]) => Observable<unknown> {
  return (request, first, second) => new Observable((subscriber) => start(request, first, second, subscriber));
}

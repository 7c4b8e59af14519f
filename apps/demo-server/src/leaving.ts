import { Injectable } from '@nestjs/common';
import { GrpcServer } from 'nestjs-grpc-lb/server';
import { fromEvent, type Observable, take } from 'rxjs';

/** Signals that this backend is about to exit, so that endless streams end themselves. */
@Injectable()
export class Leaving {
  readonly began$: Observable<unknown>;

  constructor(server: GrpcServer) {
    this.began$ = fromEvent(server.drainSignal, 'abort').pipe(take(1));
  }
}

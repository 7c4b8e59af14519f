import { Injectable } from '@nestjs/common';
import { GrpcServer } from 'nestjs-grpc-lb/server';
import { fromEvent, type Observable, take } from 'rxjs';

/** Says when this backend is about to go, so that streams that would go on for ever end by themselves. */
@Injectable()
export class Leaving {
  readonly began$: Observable<unknown>;

  constructor(server: GrpcServer) {
    this.began$ = fromEvent(server.drainSignal, 'abort').pipe(take(1));
  }
}

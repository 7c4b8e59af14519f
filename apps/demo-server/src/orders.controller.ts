import { Metadata, type ServerUnaryCall, status } from '@grpc/grpc-js';
import { Controller, Inject } from '@nestjs/common';
import { GrpcMethod, GrpcStreamMethod, RpcException } from '@nestjs/microservices';
import type {
  ChatMessage,
  FindRequest,
  Order,
  OrderLine,
  OrderUpdate,
  UploadReceipt,
  WatchRequest,
} from 'demo-server/orders';
import { map, type Observable, reduce, take, takeUntil, timer } from 'rxjs';
import { Leaving } from './leaving.js';
import { ADDRESS } from './tokens.js';
import { WorkerPool } from './worker-pool.js';
import { Workload } from './workload.js';

const DEFAULT_UPDATE_INTERVAL_MS = 1000;

/** Only `Find` does work and takes a slot; the streams are meant to stay open. */
@Controller()
export class OrdersController {
  constructor(
    @Inject(ADDRESS) private readonly address: string,
    private readonly workers: WorkerPool,
    private readonly workload: Workload,
    private readonly leaving: Leaving,
  ) {}

  @GrpcMethod('Orders', 'Find')
  async find({ id }: FindRequest, _metadata: Metadata, call: ServerUnaryCall<FindRequest, Order>): Promise<Order> {
    const gone = new AbortController();
    // Emitted for a canceled call and for an expired deadline alike.
    call.on('cancelled', () => gone.abort());
    const done = await this.workers.run(() => this.workload.durationMs(), gone.signal);
    if (!done) throw new RpcException({ code: status.CANCELLED, message: 'The caller has gone away' });
    if (this.workload.fails()) throw this.#fault();
    return { id, servedBy: this.address };
  }

  @GrpcMethod('Orders', 'Watch')
  watch({ id, count, everyMs }: WatchRequest): Observable<OrderUpdate> {
    return timer(0, everyMs || DEFAULT_UPDATE_INTERVAL_MS).pipe(
      take(count || Infinity),
      map((sequence) => ({ id, sequence, servedBy: this.address })),
      takeUntil(this.leaving.began$),
    );
  }

  @GrpcStreamMethod('Orders', 'Upload')
  upload(lines: Observable<OrderLine>): Observable<UploadReceipt> {
    const empty: UploadReceipt = { lines: 0, quantity: 0, servedBy: this.address };
    return lines.pipe(
      reduce((sum, line) => ({ ...sum, lines: sum.lines + 1, quantity: sum.quantity + line.quantity }), empty),
    );
  }

  @GrpcStreamMethod('Orders', 'Chat')
  chat(messages: Observable<ChatMessage>): Observable<ChatMessage> {
    return messages.pipe(
      map(({ text }) => ({ text, servedBy: this.address })),
      takeUntil(this.leaving.began$),
    );
  }

  /** Names its address in a trailer, as answers do in `served_by`. */
  #fault(): RpcException {
    const metadata = new Metadata();
    metadata.set('served-by', this.address);
    return new RpcException({ code: status.UNAVAILABLE, message: `${this.address} failed on purpose`, metadata });
  }
}

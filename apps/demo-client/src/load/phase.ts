import type { CallOptions } from '@grpc/grpc-js';
import type { Order } from 'demo-server/orders';
import type { Observable } from 'rxjs';

/** What a client knows about one of its endpoints. */
export interface EndpointView {
  readonly address: string;
  readonly state: string;
  readonly reason: string | null;
  readonly inFlight: number;
  /** Below 1 while it starts slowly. */
  readonly warmth: number;
}

/** One way to call the backends. */
export interface Phase {
  readonly key: 'nest-default' | 'balanced';
  /** The name for people. */
  readonly title: string;
  readonly policy: string;
  /** null: until the application is told to end. */
  readonly seconds: number | null;
  readonly find: (id: string, options: CallOptions) => Observable<Order>;
  /** null: this client knows nothing about them. */
  readonly endpoints: () => readonly EndpointView[] | null;
}

/** In the order in which they run. */
export const PHASES = Symbol('PHASES');

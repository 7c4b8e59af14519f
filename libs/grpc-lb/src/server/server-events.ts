import { type Observable, Subject } from 'rxjs';
import { onRejection } from '../core/on-rejection.js';
import { printableError } from '../core/printable.js';

/** The fields of every event of a server. */
export interface GrpcServerEventBase {
  /** When it happened, in milliseconds since the epoch. */
  readonly time: number;
}

/**
 * Something that happened to a server; a union that is discriminated by `type`.
 *
 * @example
 *   const onEvent = (event: GrpcServerEvent): void => {
 *     if (event.type === 'certificates_rejected') console.error('the old certificate stays in use:', event.reason);
 *   };
 */
export type GrpcServerEvent =
  /**
   * Other certificates are in force: new handshakes use them. `expires`: when the own certificate expires, in
   * milliseconds since the epoch.
   */
  | (GrpcServerEventBase & {
      readonly type: 'certificates_rotated';
      readonly fingerprint: string;
      readonly expires: number;
    })
  /**
   * Certificates were found that cannot be used. `last`: the last good ones stay in force; `none`: there are none, so
   * the server does not listen. Once for each reason.
   */
  | (GrpcServerEventBase & {
      readonly type: 'certificates_rejected';
      readonly reason: string;
      readonly uses: 'last' | 'none';
    })
  /** The own certificate expires soon, or has expired. Once for each. */
  | (GrpcServerEventBase & {
      readonly type: 'certificate_expiring';
      readonly reason: string;
      readonly expires: number;
    });

/** Receives the events of a server. */
export type GrpcServerEventListener = (event: GrpcServerEvent) => void;

type Untimed<Event> = Event extends unknown ? Omit<Event, 'time'> : never;

/** An event without its time. */
export type ServerEventBody = Untimed<GrpcServerEvent>;

/** Tells events in order, each in a microtask after its cause, so that a listener does not run within it. */
export class ServerEvents {
  readonly #subject = new Subject<GrpcServerEvent>();
  readonly events$: Observable<GrpcServerEvent> = this.#subject.asObservable();

  /** @param onEvent What it throws becomes a warning of the process. */
  constructor(private readonly onEvent: GrpcServerEventListener = () => {}) {}

  emit(event: ServerEventBody): void {
    const told: GrpcServerEvent = { ...event, time: Date.now() };
    const failed = (error: unknown): void => {
      const text = `onEvent of the server failed at ${told.type}: ${printableError(error)}`;
      process.emitWarning(text, 'GrpcLbWarning');
    };
    queueMicrotask(() => {
      try {
        onRejection(this.onEvent(told), failed);
      } catch (error) {
        failed(error);
      }
      this.#subject.next(told);
    });
  }

  complete(): void {
    queueMicrotask(() => this.#subject.complete());
  }
}

import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { X509Certificate } from 'node:crypto';
import { createSecureContext, type PeerCertificate } from 'node:tls';
import type { Cancel, Clock } from '../../core/clock.js';
import type { EventBody } from '../../core/events.js';
import type { Random } from '../../core/random.js';
import type { TlsSnapshot } from '../../core/snapshot.js';
import { TokenBucket } from '../../core/token-bucket.js';
import { certificateSnapshot } from '../../tls/certificate-snapshot.js';
import type { LoadedTls } from '../../tls/loaded-tls.js';
import { openTlsSource, type Side } from '../../tls/open-source.js';
import type { TlsOptions } from '../../tls/options.js';
import { spiffeFault } from '../../tls/spiffe.js';
import type { TlsEvent, TlsSource } from '../../tls/tls-source.js';
import { outside } from '../context/outside.js';
import { RotatingCredentials } from './rotating-credentials.js';

/** A client may have no certificate of its own, and trust the CAs of the system. */
export const CLIENT_SIDE: Side = { needsOwn: false, needsCa: false };

const REPLACE_WITHIN_MS = 60_000;
const FAILURE_INTERVAL_MS = 10_000;

/** A connection whose handshake used some certificates. */
export interface Certified {
  /** That of `ClientTls` when its handshake began. */
  readonly generation: number;
  /** Called when it should be replaced. */
  outdated(): void;
}

/** What the client lends. */
export interface TlsUser {
  readonly clock: Clock;
  readonly random: Random;
  emit(event: EventBody): void;
}

/** TLS of one client: its credentials, and the connections that earlier certificates were used for. */
export class ClientTls {
  /** For the channel. */
  readonly credentials: ChannelCredentials;
  readonly #source: TlsSource;
  readonly #replaceWithin: number;
  readonly #connections = new Map<Certified, Cancel | undefined>();
  readonly #failures: TokenBucket;
  #made: { readonly loaded: LoadedTls; readonly credentials: ChannelCredentials } | undefined;
  #replacementError: string | null = null;

  constructor(
    private readonly options: TlsOptions,
    private readonly context: TlsUser,
  ) {
    const { clock, random } = context;
    this.#replaceWithin = options.replaceWithin ?? REPLACE_WITHIN_MS;
    this.#failures = new TokenBucket(1, FAILURE_INTERVAL_MS, clock);
    this.#source = openTlsSource(options, CLIENT_SIDE, {
      clock,
      random,
      epoch: () => Date.now(),
      listener: (event) => this.#told(event),
      outside,
    });
    this.credentials = new RotatingCredentials({
      ready: () => this.#source.ready(),
      current: () => this.#current(),
    });
  }

  /** Grows with each rotation. */
  get generation(): number {
    return this.#source.rotations;
  }

  /** Replaces a connection when, or if, there are newer certificates than it was made with. Returns the end of that. */
  watch(connection: Certified): Cancel {
    this.#connections.set(connection, undefined);
    if (connection.generation < this.generation) this.#replaceLater(connection);
    return () => {
      this.#connections.get(connection)?.();
      this.#connections.delete(connection);
      if (this.#outdated === 0) this.#replacementError = null;
    };
  }

  /** Called when the replacement of an outdated connection could not be opened. */
  notReplaced(address: string, reason: string): void {
    this.#replacementError = `${address}: ${reason}`;
    if (this.#failures.take()) this.context.emit({ type: 'connection_not_replaced', address, reason });
  }

  snapshot(): TlsSnapshot {
    return {
      ...certificateSnapshot(this.#source, Date.now()),
      outdatedConnections: this.#outdated,
      replacementError: this.#replacementError,
    };
  }

  stop(): void {
    this.#source.stop();
    for (const cancel of this.#connections.values()) cancel?.();
  }

  get #outdated(): number {
    let count = 0;
    for (const { generation } of this.#connections.keys()) if (generation < this.generation) count++;
    return count;
  }

  /** Made once for each rotation, because a context of many CAs takes milliseconds. */
  #current(): ChannelCredentials {
    const loaded = this.#source.current;
    if (!loaded) throw new Error(`there are no certificates for TLS: ${this.#source.error ?? 'they are not read yet'}`);
    if (this.#made?.loaded !== loaded) {
      const { spiffeIds } = this.options;
      const made = credentials.createFromSecureContext(createSecureContext(loaded.options), {
        ...(spiffeIds && {
          checkServerIdentity: (_host: string, peer: PeerCertificate) => spiffeError(spiffeIds, peer),
        }),
      });
      this.#made = { loaded, credentials: made };
    }
    return this.#made.credentials;
  }

  #told(event: TlsEvent): void {
    const own = this.#source.current?.own;
    switch (event.type) {
      case 'rotated':
        if (!event.first)
          this.context.emit({
            type: 'certificates_rotated',
            fingerprint: own?.fingerprint ?? null,
            expires: own?.until ?? null,
          });
        for (const connection of this.#connections.keys()) this.#replaceLater(connection);
        return;
      case 'rejected':
        this.context.emit({
          type: 'certificates_rejected',
          reason: event.reason,
          uses: this.#source.current ? 'last' : 'none',
        });
        return;
      case 'expiring':
        this.context.emit({ type: 'certificate_expiring', reason: event.text, expires: own!.until });
    }
  }

  /** At a random time, so that the servers do not get all handshakes at once. A time that is set stays. */
  #replaceLater(connection: Certified): void {
    if (this.#connections.get(connection)) return;
    const { clock, random } = this.context;
    const cancel = clock.after(random() * this.#replaceWithin, () => connection.outdated());
    this.#connections.set(connection, cancel);
  }
}

const SPIFFE_REMEDY = 'correct tls.spiffeIds, or find out why discovery lists that process';

function spiffeError(allowed: readonly string[], peer: PeerCertificate): Error | undefined {
  const fault = spiffeFault(allowed, new X509Certificate(peer.raw));
  return fault === undefined ? undefined : new Error(`the certificate of the peer ${fault}; ${SPIFFE_REMEDY}`);
}

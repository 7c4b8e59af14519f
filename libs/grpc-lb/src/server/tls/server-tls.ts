import type { Server, ServerCredentials } from '@grpc/grpc-js';
import type { Clock } from '../../core/clock.js';
import type { HandshakeResult } from '../../core/connection/handshake-result.js';
import { printable } from '../../core/printable.js';
import type { ServerTlsSnapshot } from '../../core/snapshot.js';
import { TokenBucket } from '../../core/token-bucket.js';
import { certificateSnapshot } from '../../tls/certificate-snapshot.js';
import { dateText } from '../../tls/expiry.js';
import { openTlsSource, type Side } from '../../tls/open-source.js';
import type { ClientCertificates, ServerTlsOptions } from '../../tls/options.js';
import type { TlsEvent, TlsSource } from '../../tls/tls-source.js';
import { portsOf } from '../ports.js';
import type { ServerEventBody } from '../server-events.js';
import { RotatingServerCredentials } from './rotating-server-credentials.js';
import { type HandshakeObserver, watchHandshakes } from './handshakes.js';
import { spiffeInterceptor } from './spiffe-interceptor.js';

/** Lines of the log in a row, and milliseconds until one more: files may change all the time. */
const LINES = 5;
const LINE_INTERVAL_MS = 10_000;

export function clientCertificatesOf({ clientCertificates, ca }: ServerTlsOptions): ClientCertificates {
  return clientCertificates ?? (ca === undefined ? 'none' : 'require');
}

/** A server needs a certificate; the CAs of the system would let everyone in who has one of them. */
export function sideOf(options: ServerTlsOptions): Side {
  return { needsOwn: true, needsCa: clientCertificatesOf(options) !== 'none' };
}

/** TLS of one server. */
export class ServerTls {
  readonly #source: TlsSource;
  readonly #credentials: RotatingServerCredentials;
  readonly #lines = new TokenBucket(LINES, LINE_INTERVAL_MS, realTime);
  /** Of their own, so that clients cannot displace the lines about certificates. */
  readonly #refusalLines = new TokenBucket(LINES, LINE_INTERVAL_MS, realTime);
  readonly #handshakeLines = new TokenBucket(LINES, LINE_INTERVAL_MS, realTime);
  #refusedHandshakes = 0;
  readonly #handshakes: Partial<Record<HandshakeResult, number>> = {};

  constructor(
    options: ServerTlsOptions,
    private readonly logger: { log(text: string): void; warn(text: string): void },
    private readonly emit: (event: ServerEventBody) => void,
  ) {
    const { spiffeIds } = options;
    const interceptors = spiffeIds ? [spiffeInterceptor(spiffeIds, (...refused) => this.#refused(...refused))] : [];
    this.#credentials = new RotatingServerCredentials(clientCertificatesOf(options), interceptors);
    this.#source = openTlsSource(options, sideOf(options), {
      clock: realTime,
      random: Math.random,
      epoch: () => Date.now(),
      listener: (event) => this.#told(event),
      outside: (action) => action(),
    });
    if (this.#source.current) this.#credentials.rotate(this.#source.current);
  }

  get credentials(): ServerCredentials {
    return this.#credentials;
  }

  /** Waits for the first certificates. @throws Error if there are none. */
  async ready(): Promise<void> {
    await this.#source.ready();
    if (!this.#source.current) throw new Error(`there are no certificates for TLS: ${this.#source.error}`);
  }

  snapshot(): ServerTlsSnapshot {
    return {
      ...certificateSnapshot(this.#source, Date.now()),
      refusedHandshakes: this.#refusedHandshakes,
      handshakes: { ...this.#handshakes },
    };
  }

  /** Counts the handshakes at the ports of a server, and reports those that fail. */
  watch(server: Server): void {
    for (const port of portsOf(server)) watchHandshakes(port, this.#handshakeObserver);
  }

  stop(): void {
    this.#source.stop();
  }

  #told(event: TlsEvent): void {
    if (event.type === 'rotated') this.#credentials.rotate(event.loaded);
    const line = this.#lineOf(event);
    if (line && this.#lines.take()) this.logger[line.level](`TLS: ${line.text}`);
    const body = this.#bodyOf(event);
    if (body) this.emit(body);
  }

  #refused(peer: string, fault: string): void {
    if (!this.#refusalLines.take()) return;
    this.logger.warn(
      `TLS: calls of ${printable(peer, 100)} end with PERMISSION_DENIED: its certificate ${fault}; if it may call this server, add its id to tls.spiffeIds`,
    );
  }

  readonly #handshakeObserver: HandshakeObserver = {
    ended: (result) => {
      this.#handshakes[result] = (this.#handshakes[result] ?? 0) + 1;
    },
    refused: (peer, fault) => {
      this.#refusedHandshakes++;
      if (this.#handshakeLines.take())
        this.logger.warn(`TLS: a handshake with ${printable(peer, 100)} failed: ${printable(fault, 200)}`);
    },
  };

  #lineOf(event: TlsEvent): { readonly level: 'log' | 'warn'; readonly text: string } | undefined {
    switch (event.type) {
      case 'rotated': {
        if (event.first) return undefined;
        const until = dateText(event.loaded.own!.until);
        return { level: 'log', text: `other certificates are in force; the own one expires at ${until}` };
      }
      case 'rejected': {
        const effect = this.#source.current ? 'the last good ones stay in force' : 'the server cannot listen';
        return { level: 'warn', text: `certificates cannot be used, so ${effect}: ${event.reason}` };
      }
      case 'expiring':
        return { level: 'warn', text: `${event.text}; check what renews it` };
    }
  }

  #bodyOf(event: TlsEvent): ServerEventBody | undefined {
    switch (event.type) {
      case 'rotated': {
        if (event.first) return undefined;
        const { fingerprint, until } = event.loaded.own!;
        return { type: 'certificates_rotated', fingerprint, expires: until };
      }
      case 'rejected':
        return {
          type: 'certificates_rejected',
          reason: event.reason,
          uses: this.#source.current ? 'last' : 'none',
        };
      case 'expiring':
        return { type: 'certificate_expiring', reason: event.text, expires: this.#source.until! };
    }
  }
}

const realTime: Clock = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs).unref();
    return () => clearTimeout(timer);
  },
};

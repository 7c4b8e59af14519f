import { type Channel, type ChannelCredentials, type ChannelOptions, status as Status } from '@grpc/grpc-js';
import { PLAINTEXT } from '../call/asked-credentials.js';
import { WatchedChannel } from './caller-cancel.js';
import { isSecure } from './tls-name.js';

type Call = ReturnType<Channel['createCall']>;

/**
 * A channel that never sends call credentials in plaintext: without TLS, a call with call credentials ends with
 * UNAUTHENTICATED before anything is sent, as in grpc-go and the C core. grpc-js refuses only those of the channel.
 */
export class GuardedChannel extends WatchedChannel {
  readonly #secure: boolean;

  constructor(
    private readonly client: string,
    target: string,
    credentials: ChannelCredentials,
    options: ChannelOptions,
  ) {
    super(target, credentials, options);
    this.#secure = isSecure(credentials);
  }

  override createCall(...args: Parameters<Channel['createCall']>): Call {
    const call = super.createCall(...args);
    if (!this.#secure) call.setCredentials = () => this.#refuse(call);
    return call;
  }

  #refuse(call: Call): void {
    const start = call.start.bind(call);
    call.start = (metadata, listener) => {
      // Before the call starts, so that grpc-js does not pick an endpoint.
      call.cancelWithStatus(Status.UNAUTHENTICATED, `client ${this.client}: ${PLAINTEXT}`);
      start(metadata, listener);
    };
  }
}

import type { AdsStreamListener, OpenAdsStream } from '../../../libs/grpc-lb/src/discovery/xds/ads-stream.js';
import {
  type DiscoveryRequest,
  type DiscoveryResponse,
  EDS_TYPE_URL,
} from '../../../libs/grpc-lb/src/discovery/xds/eds-messages.js';
import { encodeAssignment } from './ads-server.js';
import { assignment, type TestLocality } from './resources.js';

/** A control plane without a network, for tests on a virtual clock: the test triggers everything it does. */
export class FakeAds {
  readonly requests: DiscoveryRequest[] = [];
  /** Streams opened so far. */
  opened = 0;
  /** The listener of the open stream. */
  listener: AdsStreamListener | undefined;
  /** Attempts fail from now on. */
  refuse: string | undefined;
  /** It does not read: requests stay in flight until `onSent`. */
  stalled = false;
  /** The client reads no responses. */
  paused = false;
  #versions = 0;

  readonly open: OpenAdsStream = (listener) => {
    this.opened++;
    if (this.refuse !== undefined) throw new Error(this.refuse);
    this.listener = listener;
    return {
      send: (request) => {
        this.requests.push(request);
        return !this.stalled;
      },
      pause: (paused) => (this.paused = paused),
      close: () => {
        if (this.listener === listener) this.listener = undefined;
      },
    };
  };

  get last(): DiscoveryRequest {
    return this.requests.at(-1)!;
  }

  respond(resources: DiscoveryResponse['resources'], more: Partial<DiscoveryResponse> = {}): void {
    const version = String(++this.#versions);
    this.listener?.onResponse({
      version_info: version,
      nonce: `n${version}`,
      type_url: EDS_TYPE_URL,
      resources,
      ...more,
    });
  }

  push(name: string, localities: readonly TestLocality[]): void {
    this.respond([resource(name, localities)]);
  }

  end(reason = 'gone'): void {
    const { listener } = this;
    this.listener = undefined;
    listener?.onEnd(reason);
  }
}

export function resource(name: string, localities: readonly TestLocality[]): DiscoveryResponse['resources'][number] {
  return { type_url: EDS_TYPE_URL, value: encodeAssignment(assignment(name, localities)) };
}

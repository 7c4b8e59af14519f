import { Client } from '@grpc/grpc-js';
import type { ControlPlane } from './control-plane.js';
import { decodeResponse } from './discovery-response.js';
import { type DiscoveryRequest, type DiscoveryResponse, StreamAggregatedResources } from './eds-messages.js';

export interface AdsStreamListener {
  onResponse(response: DiscoveryResponse): void;
  /** The last request has been sent: the next may follow. */
  onSent(): void;
  /** Called once, and not after `close`. */
  onEnd(reason: string): void;
}

/** A conversation with a control plane. */
export interface AdsStream {
  /**
   * True if the next request may be sent at once; otherwise `onSent` signals it: a control plane that does not read
   * must not fill the memory.
   */
  send(request: DiscoveryRequest): boolean;
  /** Pauses or resumes reading responses. */
  pause(paused: boolean): void;
  close(): void;
}

/** Never calls its listener before it returns. @throws Error if no connection is possible now. */
export type OpenAdsStream = (listener: AdsStreamListener) => AdsStream;

const CHANNEL_OPTIONS = {
  // As for backends: often enough to detect a dead peer, and rarely enough that servers do not take it for an attack.
  'grpc.keepalive_time_ms': 330_000,
  'grpc.keepalive_timeout_ms': 5_000,
  // The stream has its own connection, which closes with it.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_channelz': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.enable_retries': 0,
  'grpc.primary_user_agent': 'nestjs-grpc-lb',
};

/**
 * A stream of the aggregated discovery service, on its own channel: so each attempt is a real attempt, with the current
 * certificates and without the channel's memory of earlier failures, and the caller decides when the next one starts.
 */
export function openAdsStream({ uri, credentials }: ControlPlane): OpenAdsStream {
  const { path, requestSerialize } = StreamAggregatedResources;
  return (listener) => {
    const client = new Client(uri, credentials(), CHANNEL_OPTIONS);
    const call = client.makeBidiStreamRequest(path, requestSerialize, decodeResponse);
    let open = true;
    const end = (): void => {
      open = false;
      client.close();
    };
    call.on('data', (response: DiscoveryResponse) => {
      if (open) listener.onResponse(response);
    });
    // An error is also reported as a status, which covers a regular end as well.
    call.on('error', () => {});
    call.on('status', ({ details }) => {
      if (!open) return;
      end();
      listener.onEnd(details || 'the control plane has ended the stream');
    });
    return {
      send(request) {
        if (open) call.write(request, () => open && listener.onSent());
        return false;
      },
      pause(paused) {
        if (paused) call.pause();
        else call.resume();
      },
      close() {
        if (!open) return;
        end();
        call.cancel();
      },
    };
  };
}

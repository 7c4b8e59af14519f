import type { EndpointSourceContext, EndpointSourceFactory } from '../../core/endpoint-source.js';
import { type Fault, GrpcLbOptionsError } from '../../core/errors.js';
import { targetSubject } from '../target.js';
import { AdsClient } from './ads-client.js';
import { openAdsStream } from './ads-stream.js';
import type { XdsNode } from './bootstrap.js';
import { type ControlPlane, findControlPlane } from './control-plane.js';
import type { NodeMessage } from './eds-messages.js';
import { EdsSource } from './eds-source.js';
import { toStruct } from './struct.js';
import { type EdsSourceOptions, effectiveEdsOptions } from './xds-options.js';

/**
 * Creates a factory of sources for `eds:///orders` and `eds://control-plane:18000/orders`. All its sources for one
 * control plane share one stream.
 *
 * @throws GrpcLbOptionsError that lists all faults of the options.
 */
export function edsSourceFactory(options: EdsSourceOptions = {}): EndpointSourceFactory {
  const effective = effectiveEdsOptions(options);
  const clients = new Map<string, AdsClient>();
  const clientOf = (controlPlane: ControlPlane, context: EndpointSourceContext): AdsClient => {
    const { uri, node } = controlPlane;
    const key = JSON.stringify([uri, node]);
    let client = clients.get(key);
    if (!client) {
      const { resourceTimeout, maxReconnectBackoff } = effective;
      const open = openAdsStream(controlPlane);
      // Not the context itself: it belongs to one client, and this object serves all.
      const { clock, random } = context;
      client = new AdsClient(
        { uri, node: nodeMessage(node), open, resourceTimeout, maxReconnectBackoff },
        { clock, random },
      );
      clients.set(key, client);
    }
    return client;
  };
  return (target, context) => {
    const faults: Fault[] = [];
    const controlPlane = findControlPlane(target.authority, effective, faults);
    if (!controlPlane) throw new GrpcLbOptionsError(targetSubject(target), faults);
    return new EdsSource(() => clientOf(controlPlane, context), target.path);
  };
}

function nodeMessage({ id, cluster = '', locality, metadata }: XdsNode): NodeMessage {
  return {
    id,
    cluster,
    user_agent_name: 'nestjs-grpc-lb',
    ...(locality && { locality }),
    ...(metadata && { metadata: toStruct(metadata) }),
  };
}

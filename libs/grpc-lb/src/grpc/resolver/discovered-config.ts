import { Channel, credentials } from '@grpc/grpc-js';

const seen = new WeakMap<object, string | null>();

/**
 * What is wrong with a service config that discovery brought (gRFC A2), or null. grpc-js checks one only when it stands
 * in the options of a channel, and takes another from a resolver as it is; so a channel is made that nobody uses.
 */
export function faultOfConfig(config: object): string | null {
  const known = seen.get(config);
  if (known !== undefined) return known;
  const fault = check(config);
  seen.set(config, fault);
  return fault;
}

function check(config: object): string | null {
  const { methodConfig = [] } = config as { methodConfig?: unknown };
  // grpc-js passes over it without a word.
  if (!Array.isArray(methodConfig)) return 'methodConfig is not a list';
  try {
    const options = { 'grpc.service_config': JSON.stringify(config), 'grpc.enable_channelz': 0 };
    new Channel('dns:///nobody', credentials.createInsecure(), options).close();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

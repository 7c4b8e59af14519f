import { Channel, credentials } from '@grpc/grpc-js';

const seen = new WeakMap<object, string | null>();

/**
 * The fault of a service config from discovery (gRFC A2), or null. grpc-js validates a service config only in the
 * options of a channel, and accepts one from a resolver unchecked; so this creates a channel only for validation.
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
  // grpc-js ignores it without a warning.
  if (!Array.isArray(methodConfig)) return 'methodConfig is not a list';
  try {
    const options = { 'grpc.service_config': JSON.stringify(config), 'grpc.enable_channelz': 0 };
    new Channel('dns:///nobody', credentials.createInsecure(), options).close();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

import { type ChannelOptions, type MethodConfig, type ServiceConfig, status as Status } from '@grpc/grpc-js';
import { type CallInfo, UNKNOWN_CALL } from '../../core/policy/policy.js';
import { givenServiceConfig } from '../config/channel-options.js';
import type { ClientContext } from '../context/client-context.js';
import { CONFIG_SELECTOR_ATTRIBUTE, type ConfigSelector } from '../experimental.js';
import { type MethodInfo, methodConfigsOf } from '../config/service-config.js';

/** Methods that are remembered; a proxy may be called with names that somebody has made up. */
const MAX_METHODS = 1000;

/** What is known of one call: one object for all its attempts, which grpc-js drops with the call. */
class Call implements CallInfo {
  constructor(
    readonly method: string,
    readonly stream: boolean,
  ) {}
}

/** The call that stands behind the `extraPickInfo` of a pick. A channel whose resolver is not ours tells nothing. */
export function callOf(extraPickInfo: object): CallInfo {
  return extraPickInfo instanceof Call ? extraPickInfo : UNKNOWN_CALL;
}

/**
 * grpc-js tells a picker nothing of the call but its metadata, unless the resolver hands out a config selector (gRFC A31),
 * which is asked once for each call. What is chosen is what grpc-js chooses without one.
 */
export function configSelector(methodConfigs: readonly MethodConfig[], methods: readonly MethodInfo[]): ConfigSelector {
  const known = new Map<string, { readonly config: MethodConfig; readonly stream: boolean }>();
  const find = (path: string): { readonly config: MethodConfig; readonly stream: boolean } => {
    const [, service = '', method = ''] = path.split('/');
    const info = methods.find((each) => each.service === service && each.method === method);
    const stream = info !== undefined && (info.responseStream || info.requestStream === true);
    const found = { config: configFor(methodConfigs, service, method), stream };
    if (known.size < MAX_METHODS) known.set(path, found);
    return found;
  };
  return {
    invoke(path) {
      const { config, stream } = known.get(path) ?? find(path);
      const call = new Call(path, stream);
      return {
        methodConfig: config,
        // grpc-js hands it through as it is.
        pickInformation: call as never,
        status: Status.OK,
        dynamicFilterFactories: [],
      };
    },
    unref() {},
  };
}

/** What a resolver hands out beside the endpoints. Without a service config of the resolver's, that of the channel holds. */
export function selectorAttribute(
  { methods }: ClientContext,
  serviceConfig: ServiceConfig | null,
  options: ChannelOptions,
): Record<string, ConfigSelector> {
  const configs = serviceConfig?.methodConfig ?? methodConfigsOf(givenServiceConfig(options));
  return { [CONFIG_SELECTOR_ATTRIBUTE]: configSelector(configs, methods) };
}

/** The most specific entry that matches: of the method, of its service, of all. Nothing is merged. */
function configFor(configs: readonly MethodConfig[], service: string, method: string): MethodConfig {
  const named = (matches: (name: MethodConfig['name'][number]) => boolean): MethodConfig | undefined =>
    configs.find(({ name }) => name.some(matches));
  return (
    named((name) => name.service === service && name.method === method) ??
    named((name) => name.service === service && !name.method) ??
    named((name) => !name.service && !name.method) ?? { name: [] }
  );
}

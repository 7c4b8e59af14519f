import { type ChannelOptions, type MethodConfig, type ServiceConfig, status as Status } from '@grpc/grpc-js';
import { type CallInfo, UNKNOWN_CALL } from '../../core/policy/policy.js';
import { givenServiceConfig } from '../config/channel-options.js';
import type { ClientContext } from '../context/client-context.js';
import { CONFIG_SELECTOR_ATTRIBUTE, type ConfigSelector } from '../experimental.js';
import { configOfMethod, generalConfig, type MethodInfo, methodConfigsOf } from '../config/service-config.js';

/** Limits the cached methods: a proxy may receive calls with arbitrary method names. */
const MAX_METHODS = 1000;

/** What is known about one call: one object for all its attempts, which grpc-js releases with the call. */
class Call implements CallInfo {
  constructor(
    readonly method: string,
    readonly stream: boolean,
  ) {}
}

/** The call behind the `extraPickInfo` of a pick; unknown if the channel uses another resolver. */
export function callOf(extraPickInfo: object): CallInfo {
  return extraPickInfo instanceof Call ? extraPickInfo : UNKNOWN_CALL;
}

/**
 * grpc-js passes only the metadata of a call to a picker, unless the resolver provides a config selector (gRFC A31),
 * which it invokes once per call. This selector chooses the same config that grpc-js chooses without one.
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
        // grpc-js passes it on unchanged.
        pickInformation: call as never,
        status: Status.OK,
        dynamicFilterFactories: [],
      };
    },
    unref() {},
  };
}

/**
 * The attribute that a resolver adds to the endpoints. The service config of the channel applies if the resolver has
 * none.
 */
export function selectorAttribute(
  { methods }: ClientContext,
  serviceConfig: ServiceConfig | null,
  options: ChannelOptions,
): Record<string, ConfigSelector> {
  const configs = serviceConfig?.methodConfig ?? methodConfigsOf(givenServiceConfig(options));
  return { [CONFIG_SELECTOR_ATTRIBUTE]: configSelector(configs, methods) };
}

/** The most specific entry that matches: for the method, for its service, for all. Does not merge entries. */
function configFor(configs: readonly MethodConfig[], service: string, method: string): MethodConfig {
  return configOfMethod(configs, service, method) ?? generalConfig(configs, service) ?? { name: [] };
}

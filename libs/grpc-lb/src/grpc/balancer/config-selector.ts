import { type ChannelOptions, type MethodConfig, status as Status } from '@grpc/grpc-js';
import { type CallInfo, UNKNOWN_CALL } from '../../core/policy/policy.js';
import { givenServiceConfig } from '../config/channel-options.js';
import { CONFIG_SELECTOR_ATTRIBUTE, type ConfigSelector } from '../experimental.js';
import { configOfMethod, generalConfig, methodConfigsOf } from '../config/service-config.js';

/** Limits the cached methods: a proxy may receive calls with arbitrary method names. */
const MAX_METHODS = 1000;

/** What is known about one call: one object for all its attempts, which grpc-js releases with the call. */
class Call implements CallInfo {
  /** grpc-js does not say which methods stream. */
  readonly stream = false;

  constructor(readonly method: string) {}
}

/** The call behind the `extraPickInfo` of a pick; unknown if the channel uses another resolver. */
export function callOf(extraPickInfo: object): CallInfo {
  return extraPickInfo instanceof Call ? extraPickInfo : UNKNOWN_CALL;
}

/**
 * For channels whose calls grpc-js makes. It passes only the metadata of a call to a picker, unless the resolver
 * provides a config selector (gRFC A31), which it invokes once per call. This selector chooses the same config that
 * grpc-js chooses without one.
 */
export function configSelector(methodConfigs: readonly MethodConfig[]): ConfigSelector {
  const known = new Map<string, MethodConfig>();
  const find = (path: string): MethodConfig => {
    const [, service = '', method = ''] = path.split('/');
    const found = configFor(methodConfigs, service, method);
    if (known.size < MAX_METHODS) known.set(path, found);
    return found;
  };
  return {
    invoke: (path) => ({
      methodConfig: known.get(path) ?? find(path),
      // grpc-js passes it on unchanged.
      pickInformation: new Call(path) as never,
      status: Status.OK,
      dynamicFilterFactories: [],
    }),
    unref() {},
  };
}

/** The attribute that a resolver adds to the endpoints. */
export function selectorAttribute(options: ChannelOptions): Record<string, ConfigSelector> {
  return { [CONFIG_SELECTOR_ATTRIBUTE]: configSelector(methodConfigsOf(givenServiceConfig(options))) };
}

/** The most specific entry that matches: for the method, for its service, for all. Does not merge entries. */
function configFor(configs: readonly MethodConfig[], service: string, method: string): MethodConfig {
  return configOfMethod(configs, service, method) ?? generalConfig(configs, service) ?? { name: [] };
}

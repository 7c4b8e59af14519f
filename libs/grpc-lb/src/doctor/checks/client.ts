import type { ChannelOptions } from '@grpc/grpc-js';
import { readEnvironment } from '../../config/read-environment.js';
import type { Fault } from '../../core/errors.js';
import {
  effectiveLoadBalancing,
  IN_LOAD_BALANCING,
  type LoadBalancingOptions,
  wholeLoadBalancingCheck,
} from '../../core/options/load-balancing.js';
import { type Check, fields, isObject, shown } from '../../core/options/validation.js';
import { DEFAULT_CHANNEL_OPTIONS } from '../../grpc/config/channel-options.js';
import type { Examination } from '../examination.js';
import type { EffectiveDoctorOptions } from '../options.js';
import type { ClientView } from '../site.js';
import { channelOptionFaults } from './channel-option-names.js';

const anything: Check = () => {};

const object: Check = (path, value, faults) => {
  if (!isObject(value)) faults.push({ path, message: `is ${shown(value)}; use an object` });
};

/** The options of a client, of its class or of its item. Those that no check compares are only known by name. */
const clientCheck = fields(
  {
    name: anything,
    service: anything,
    target: anything,
    url: anything,
    targets: anything,
    definition: anything,
    package: anything,
    protoPath: anything,
    protoLoader: anything,
    packageDefinition: anything,
    credentials: anything,
    interceptors: anything,
    resumable: anything,
    onLoadPackageDefinition: anything,
    loader: anything,
    keepalive: object,
    maxSendMessageLength: anything,
    maxReceiveMessageLength: anything,
    maxMetadataSize: anything,
    gracefulShutdown: anything,
    channelOptions: object,
    // A check of its own.
    tls: anything,
    loadBalancing: wholeLoadBalancingCheck,
  },
  IN_LOAD_BALANCING,
);

/** Checks the options of the client and those in the environment, and fills in the defaults. */
export function examineClient(exam: Examination, { client, env }: EffectiveDoctorOptions): ClientView {
  const faults: Fault[] = [];
  if (client !== undefined) clientCheck('', client, faults);
  if (isObject(client?.channelOptions)) faults.push(...channelOptionFaults(client.channelOptions));
  for (const { path, message } of faults) exam.find('options', 'invalid-options', { evidence: `${path} ${message}` });
  const wrong: Fault[] = [];
  readEnvironment(env, wrong);
  for (const { path, message } of wrong)
    exam.find('options', 'invalid-environment', { evidence: `${path} ${message}` });
  const given = client === undefined ? 'no client options given; the defaults' : 'the client options';
  exam.pass('options', `${given} and the environment variables GRPC_LB_* are valid`);
  return faults.length > 0 ? viewOf({}, {}) : viewOf(client?.loadBalancing, channelOptionsOf(client));
}

function viewOf(loadBalancing: LoadBalancingOptions | undefined, channelOptions: ChannelOptions): ClientView {
  return {
    loadBalancing: effectiveLoadBalancing(loadBalancing),
    channelOptions: { ...DEFAULT_CHANNEL_OPTIONS, ...channelOptions },
  };
}

/** With the one option of `keepalive` that matters here, which wins in Nest. */
function channelOptionsOf(client: EffectiveDoctorOptions['client']): ChannelOptions {
  const time = (client as { keepalive?: { keepaliveTimeMs?: number } } | undefined)?.keepalive?.keepaliveTimeMs;
  return { ...client?.channelOptions, ...(time !== undefined && { 'grpc.keepalive_time_ms': time }) };
}

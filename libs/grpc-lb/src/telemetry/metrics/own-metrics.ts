import { ADDRESS_METRICS } from './own/addresses.js';
import { ATTEMPT_METRICS } from './own/attempts.js';
import { CLIENT_METRICS } from './own/clients.js';
import { DISCOVERY_METRICS } from './own/discovery.js';
import { ENDPOINT_METRICS } from './own/endpoints.js';
import { STREAM_METRICS } from './own/streams.js';
import { TLS_METRICS } from './own/tls.js';

/** The metrics of this package: what only a balancer knows. */
export const OWN_METRICS = {
  ...CLIENT_METRICS,
  ...ENDPOINT_METRICS,
  ...DISCOVERY_METRICS,
  ...STREAM_METRICS,
  ...ATTEMPT_METRICS,
  ...TLS_METRICS,
  ...ADDRESS_METRICS,
};

import { KEEP_ONE_COPY } from '../grpc/process/loaded-copies.js';

/**
 * How bad a finding is. `error`: calls fail, or will. `warning`: calls work, but not as they should. `note`: worth
 * knowing; never changes the exit status.
 */
export type DoctorSeverity = 'error' | 'warning' | 'note';

interface Diagnosis {
  readonly severity: DoctorSeverity;
  /** What to do. */
  readonly remedy: string;
}

const define = <T extends Readonly<Record<string, Diagnosis>>>(diagnoses: T): T => diagnoses;

/** Every code that a report can have. A code keeps its meaning; new ones may be added in a minor version. */
export const DIAGNOSES = define({
  // This process and its configuration.
  'invalid-options': { severity: 'error', remedy: 'Correct the option as the evidence says' },
  'invalid-environment': { severity: 'error', remedy: 'Correct or remove the environment variable' },
  'duplicate-grpc-js': {
    severity: 'warning',
    remedy: `K${KEEP_ONE_COPY.slice(1)}`,
  },
  'proxy-ignored': {
    severity: 'note',
    remedy:
      'None, if endpoints are reached directly. If they are reached only through the proxy, set channelOptions["grpc.enable_http_proxy"] to 1, with a dns: target',
  },
  'proxy-used': {
    severity: 'warning',
    remedy:
      'Add the host to no_grpc_proxy (or no_proxy), or remove grpc.enable_http_proxy: the proxy chooses the backend, so this client cannot balance',
  },

  // Discovery.
  'invalid-target': { severity: 'error', remedy: 'Correct the target as the evidence says' },
  'doubtful-target': { severity: 'warning', remedy: 'Correct the target as the evidence says, unless you mean it' },
  'target-not-examined': {
    severity: 'warning',
    remedy: 'Use eds:///, whose endpoints this package knows, or examine one endpoint: static:///host:port',
  },
  'name-not-found': {
    severity: 'error',
    remedy:
      'Check the spelling, and resolve the name where the client runs: on Kubernetes a name of another namespace is service.namespace',
  },
  'discovery-failed': {
    severity: 'error',
    remedy:
      'Check that the name server, registry, control plane or file of the target is there, and lets this client ask',
  },
  'no-endpoints': {
    severity: 'error',
    remedy: 'Check that the service has replicas that are ready, and that its selector, tag or port name matches them',
  },
  'discovery-warning': { severity: 'warning', remedy: 'See the evidence' },
  'cluster-ip': {
    severity: 'warning',
    remedy: 'Make the Service headless (clusterIP: None), or use a kubernetes:/// target',
  },
  'shared-address': {
    severity: 'warning',
    remedy:
      'Discover the backends themselves. If a load balancer must stay between, raise pool.size and set pool.maxConnectionAge',
  },
  'address-family-unreachable': {
    severity: 'warning',
    remedy: 'Let the server listen on both families, or remove the DNS records of the one that it does not serve',
  },

  // Connections.
  'port-closed': {
    severity: 'error',
    remedy:
      'Check that the server runs, that the port is its own (a headless Service translates none), and that it does not listen on localhost only: 0.0.0.0 or [::]',
  },
  'address-unreachable': {
    severity: 'error',
    remedy: 'Check the route, the firewall and network policies between this host and the address',
  },
  'silent-peer': {
    severity: 'error',
    remedy: 'Check whether the process behind the port is stuck, and whether the port is the gRPC port',
  },
  'connection-closed': {
    severity: 'error',
    remedy: 'Check which process listens on the port, and its log: it closes connections before HTTP/2 begins',
  },
  'server-expects-tls': {
    severity: 'error',
    remedy: 'Give the client tls: {}, or credentials: credentials.createSsl(); here: --tls',
  },
  'server-expects-plaintext': {
    severity: 'error',
    remedy: 'Remove the credentials of the client, or enable TLS at the server; here: omit --tls',
  },
  'not-http2': { severity: 'error', remedy: 'Use the port of the gRPC server; this one speaks another protocol' },
  'not-grpc': {
    severity: 'error',
    remedy:
      'Check which program has this address; if it is a proxy, let /grpc.health.v1.Health/Watch through, and check that it reaches its own backend (HTTP status 502 to 504)',
  },

  // TLS.
  'client-certificates-unusable': {
    severity: 'error',
    remedy: 'Correct the files as the evidence says; an application with them does not start',
  },
  'client-certificate-expires-soon': {
    severity: 'warning',
    remedy: 'Renew the certificate of the client, and check its automatic renewal',
  },
  'tls-handshake-failed': { severity: 'error', remedy: 'Check TLS versions and ciphers of the server, and its log' },
  'no-alpn-h2': {
    severity: 'warning',
    remedy: 'Let the server, or the proxy that ends TLS, offer h2 by ALPN; gRPC clients other than grpc-js refuse it',
  },
  'certificate-name': {
    severity: 'error',
    remedy:
      'Issue a certificate for that name, or name the one that it has: channelOptions["grpc.ssl_target_name_override"]; here: --server-name',
  },
  'certificate-expired': { severity: 'error', remedy: 'Renew the certificate, and make the server load it' },
  'certificate-not-yet-valid': { severity: 'error', remedy: 'Check the clocks of this host and of the issuer' },
  'certificate-expires-soon': { severity: 'warning', remedy: 'Renew the certificate, and check its automatic renewal' },
  'certificate-untrusted': {
    severity: 'error',
    remedy:
      'Give the client the certificate of the authority: tls: { ca }, or credentials.createSsl(ca); here: --ca FILE',
  },
  'client-certificate-required': {
    severity: 'error',
    remedy:
      'Give the client a certificate: tls: { cert, key }, or credentials.createSsl(ca, key, cert); here: --cert FILE --key FILE',
  },

  // The server.
  'no-health-service': {
    severity: 'warning',
    remedy:
      'Serve grpc.health.v1.Health: grpcServer() of nestjs-grpc-lb/server does. Without it an endpoint counts as healthy while it is connected',
  },
  'health-refused': {
    severity: 'warning',
    remedy: 'Set health.metadata to what the service requires, or let the server answer health without credentials',
  },
  'health-service-unknown': {
    severity: 'error',
    remedy: 'Correct health.service, or let the server report that service; the empty name is the server as a whole',
  },
  'not-serving': { severity: 'error', remedy: 'Ask the server why: its log, or its readiness checks' },
  'keepalive-clash': {
    severity: 'warning',
    remedy:
      'Raise grpc.keepalive_time_ms to 300000 or more, or lower the minimum that the server enforces (gRFC A8: permit_keepalive_time)',
  },
  'ping-unanswered': {
    severity: 'warning',
    remedy: 'Check proxies in between: a client closes connections whose PINGs are not answered (pool.pingTimeout)',
  },
  'stream-limit-low': {
    severity: 'warning',
    remedy:
      'Raise SETTINGS_MAX_CONCURRENT_STREAMS at the server, pool.maxSize at the client, or the number of replicas',
  },
  'no-reflection': {
    severity: 'note',
    remedy:
      'Switch reflection on at the server, as by reflection: true of grpcServer(): without it nothing shows which services and methods the server has',
  },
  'service-missing': {
    severity: 'error',
    remedy: 'Check the package and service of the proto file, and that the server registers it',
  },
  'method-missing': { severity: 'error', remedy: 'Check that both sides use the same version of the proto file' },
  'clock-skew': {
    severity: 'warning',
    remedy:
      'Synchronize both clocks (NTP). gRPC sends relative timeouts, but absolute deadlines, tokens and certificates depend on clocks',
  },
});

/** The stable name of a finding. */
export type DoctorCode = keyof typeof DIAGNOSES;

export const HELP = `Usage: nestjs-grpc-lb doctor <target> [options]

Examines a gRPC target as a client of nestjs-grpc-lb would use it, and says what is wrong, how it knows, and what to do.

  <target>              as in dns:///orders:50051, static:///10.0.0.7:50051 or kubernetes:///orders.shop:grpc

The client
  --tls                 the client uses TLS
  --ca FILE             certificates of the authorities that it trusts (PEM)
  --cert FILE           its certificate
  --key FILE            the private key of that certificate
  --server-name NAME    the name that the servers' certificates must have
  --options FILE|JSON   its options: {"loadBalancing": {...}, "channelOptions": {...}}
  --concurrency N       calls that it makes at the same time

What the server must have
  --proto FILE          the services and methods of a proto file; may be repeated
  --include DIR         a folder with imports of proto files; may be repeated
  --service NAME        a service, as in orders.v1.Orders; may be repeated
  --method NAME         a method, as in orders.v1.Orders/Find; may be repeated

How
  --quick               only discovery, connection, TLS, health, services and clock, as for a probe
  --timeout MS          for the whole run: 500 to 60000, default 4500
  --max-endpoints N     how many endpoints are examined, default 10
  --expiry-days N       a certificate that expires sooner is a warning, default 14
  --max-clock-skew S    seconds that clocks may differ, default 5
  --fail-on SEVERITY    error or warning: what makes the exit status 1; default warning, with --quick error
  --json                prints the report as JSON
  --version, --help

Exit status: 0 healthy, 1 findings, 2 the command line is wrong.
`;

/** A scheme, unless only a number follows: `orders:50051` is a host and a port. */
const WITH_SCHEME = /^[a-z][a-z0-9+.-]*:(?!\d+$)/i;

/**
 * gRFC A66, `grpc.target`: "Canonicalized target URI is the form with the scheme included if the user didn't mention the
 * scheme". Several targets are separated by spaces.
 */
export function canonicalTarget(target: string): string {
  return target
    .split(' ')
    .map((each) => (WITH_SCHEME.test(each) ? each : `dns:///${each}`))
    .join(' ');
}

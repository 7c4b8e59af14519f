import { printable } from '../../core/printable.js';
import { targetsIn } from '../../core/target-list.js';

/** The label of each series has it, and a static target is as long as its list. */
const MAX_LENGTH = 255;
/** A scheme, unless only a number follows: `orders:50051` is a host and a port. */
const WITH_SCHEME = /^[a-z][a-z0-9+.-]*:(?!\d+$)/i;

/**
 * gRFC A66, `grpc.target`: "Canonicalized target URI is the form with the scheme included if the user didn't mention the
 * scheme". Several targets are separated by spaces. Long ones are cut.
 */
export function canonicalTarget(target: string): string {
  const parts = targetsIn(target).map((each) => (WITH_SCHEME.test(each) ? each : `dns:///${each}`));
  return printable(parts.join(' '), MAX_LENGTH);
}

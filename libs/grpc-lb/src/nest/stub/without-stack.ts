/**
 * Runs `start`; errors created in it get no stack. grpc-js creates one for each call, in case it fails, and collecting
 * the stack is the largest single cost of a call on this side of grpc-js (decision 013). Only for code in which no
 * other code creates errors.
 */
export function withoutStack<T>(start: () => T): T {
  if (Object.isFrozen(Error)) return start();
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return start();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

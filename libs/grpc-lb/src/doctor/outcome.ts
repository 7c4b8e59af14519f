/**
 * The first outcome of something that ends by events, or by a timeout. Later ones have no effect. If this process was
 * stalled until its timers ran, what has arrived meanwhile still counts: it is read before the timeout takes effect.
 */
export function firstOutcome<T>(
  timeoutMs: number,
  onTimeout: () => T,
  begin: (settle: (outcome: T) => void) => void,
): Promise<T> {
  return new Promise((resolve) => {
    let settled = false;
    const settle = (outcome: T): void => {
      settled = true;
      clearTimeout(timer);
      resolve(outcome);
    };
    const timer = setTimeout(() => {
      setImmediate(() => {
        if (!settled) settle(onTimeout());
      });
    }, timeoutMs);
    begin(settle);
  });
}

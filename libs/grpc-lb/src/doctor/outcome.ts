/** The first outcome of something that ends by events, or by a timeout. Later ones have no effect. */
export function firstOutcome<T>(
  timeoutMs: number,
  onTimeout: () => T,
  begin: (settle: (outcome: T) => void) => void,
): Promise<T> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(onTimeout()), timeoutMs);
    begin((outcome) => {
      clearTimeout(timer);
      resolve(outcome);
    });
  });
}

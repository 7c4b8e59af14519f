/** Calls all of them. What one throws is thrown in a microtask of its own, so that it does not stop the others. */
export function callEach(callbacks: Iterable<() => void>): void {
  for (const each of callbacks) {
    try {
      each();
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

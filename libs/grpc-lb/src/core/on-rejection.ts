/**
 * Reports the error of a user's function that turns out to be async, where nothing waits for its end. Otherwise its
 * rejection would end the process.
 */
export function onRejection(returned: unknown, report: (error: unknown) => void): void {
  if (returned instanceof Promise) returned.catch(report);
}

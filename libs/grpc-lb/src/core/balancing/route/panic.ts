/**
 * Whether so few of the connected endpoints are healthy that all are used (Envoy's and Finagle's panic mode): a call to
 * an endpoint that may be unhealthy is better than the whole load on the few that are left, and a wrong signal must not
 * take a whole service down.
 */
export function isPanic(healthy: number, connected: number, thresholdPercent: number): boolean {
  return connected > 0 && healthy * 100 < thresholdPercent * connected;
}

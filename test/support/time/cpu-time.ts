/** The CPU time of the work in milliseconds: on a busy machine wall-clock time means nothing. */
export function cpuTime(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

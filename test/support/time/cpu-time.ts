/** How many milliseconds of CPU the work costs this process: on a busy machine the clock on the wall tells nothing. */
export function cpuTime(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

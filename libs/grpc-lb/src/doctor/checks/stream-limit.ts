import type { Connected, Site } from '../site.js';

/** The peer has announced no limit (RFC 9113, 6.5.2: "Initially, there is no limit to this value"). */
const NO_LIMIT = 0xffff_ffff;

/** Compares the stream limits of the examined servers with what the pool of the client is to carry. */
export function examineStreamLimits(
  { exam, client, options }: Site,
  connected: readonly Connected[],
  endpoints: number,
): void {
  if (connected.length === 0) return;
  const { pool, health } = client.loadBalancing;
  const watches = health.enabled ? 1 : 0;
  const limits = connected.map(({ peer, address }) => ({
    address,
    limit: peer.settings.maxConcurrentStreams ?? NO_LIMIT,
  }));
  for (const { address, limit } of limits) {
    const find = (evidence: string): void =>
      exam.find('stream-limit', 'stream-limit-low', { address, evidence: `${address} ${evidence}` });
    if (limit <= watches) find(`allows ${limit} streams on a connection, of which the health watch takes ${watches}`);
    else if (pool.maxConcurrentStreams !== undefined && pool.maxConcurrentStreams > limit)
      find(`allows ${limit} streams on a connection; pool.maxConcurrentStreams is ${pool.maxConcurrentStreams}`);
  }
  const carried = limits.map(({ limit }) => Math.min(pool.maxConcurrentStreams ?? NO_LIMIT, limit - watches));
  const average = carried.reduce((a, b) => a + b) / carried.length;
  const capacity = Math.floor(average * pool.maxSize * endpoints);
  const { concurrency = 0 } = options;
  if (concurrency > capacity) {
    const evidence = `${endpoints} endpoints with ${pool.maxSize} connections of ${Math.floor(average)} calls carry ${capacity} calls at a time, fewer than ${concurrency}`;
    exam.find('stream-limit', 'stream-limit-low', { evidence });
  }
  const least = Math.min(...limits.map(({ limit }) => limit));
  exam.pass('stream-limit', least === NO_LIMIT ? 'the servers announce none' : `${least} streams on a connection`);
}

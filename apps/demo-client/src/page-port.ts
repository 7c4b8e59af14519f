import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * The requested port, or 0 for any if it is taken and any is allowed. Checked before Nest starts, which would log an
 * error.
 */
export async function pagePort(wanted: number, host: string, anyWillDo: boolean): Promise<number> {
  const probe = createServer().listen(wanted, host);
  try {
    await once(probe, 'listening');
    await once(probe.close(), 'close');
    return wanted;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    if (anyWillDo) return 0;
    throw new Error(`port ${wanted} is taken: use another one for the page, or none`, { cause: error });
  }
}

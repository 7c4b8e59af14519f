/** Where the backends listen. */
export const PORTS = (process.env['PORTS'] ?? '50061,50062,50063').split(',').map(Number);

/** Columns of the CPU of a call with metrics. */
export const METRICS_HEAD = ['client', 'CPU µs', 'over the same without', 'goal', 'µs, wall'];

/** What a scrape cost in one setting. */
export interface ScrapeRow {
  readonly what: string;
  readonly series: number;
  /** Milliseconds of CPU. */
  readonly cpu: number;
  /** Milliseconds. */
  readonly median: number;
  readonly slowest: number;
  readonly kilobytes: number;
}

export interface ScrapeTable {
  readonly title: string;
  readonly rows: readonly ScrapeRow[];
}

export const SCRAPE_HEAD = ['', 'series', 'CPU ms', 'ms', 'slowest', 'kB'];

export function scrapeCellsOf({ what, series, cpu, median, slowest, kilobytes }: ScrapeRow): string[] {
  return [what, String(series), cpu.toFixed(1), median.toFixed(1), slowest.toFixed(1), String(kilobytes)];
}

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { stringify } from 'yaml';
import { freePort } from 'nestjs-grpc-lb/testing';
import { Child } from '../../../apps/demo-client/src/runner/child-process.js';
import { RULE_FILES } from './promtool.js';
import { scaledRules } from './scaled-rules.js';

export interface ScrapeTarget {
  readonly job: string;
  /** `host:port`, with `/metrics`. */
  readonly address: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: string;
}

interface SeriesExemplars {
  readonly seriesLabels: Readonly<Record<string, string>>;
  readonly exemplars: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: string }[];
}

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [number, string])[];
}

/** Seconds between scrapes and between evaluations: the longest that the documents allow, in compressed time. */
const INTERVAL = 30;

/** Debian's Prometheus with the committed rules in compressed time. */
export class Prometheus {
  #port = 0;
  #process: Child | undefined;
  #directory = '';

  /** @param factor How many times faster than real time it lives. */
  constructor(private readonly factor: number) {}

  /** Resolves when it scrapes. */
  async start(targets: readonly ScrapeTarget[]): Promise<this> {
    this.#directory = await mkdtemp(join(tmpdir(), 'grpc-lb-prometheus-'));
    this.#port = await freePort();
    const rules = await Promise.all(RULE_FILES.map((file) => this.#scaled(file)));
    const config = join(this.#directory, 'prometheus.yml');
    const interval = `${Math.round((INTERVAL * 1000) / this.factor)}ms`;
    const jobs = [...new Set(targets.map(({ job }) => job))].map((job) => ({
      job_name: job,
      static_configs: targets
        .filter((each) => each.job === job)
        .map(({ address, labels = {} }) => ({ targets: [address], labels })),
    }));
    const settings = {
      global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
      rule_files: rules,
      scrape_configs: jobs,
    };
    await writeFile(config, stringify(settings));
    const flags = [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(this.#directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${this.#port}`,
      '--enable-feature=exemplar-storage',
      '--log.level=warn',
    ];
    this.#process = new Child(['prometheus', ...flags], { quiet: true });
    await this.#process.unlessEnded(this.#ready());
    return this;
  }

  async close(): Promise<void> {
    await this.#process?.kill();
    if (this.#directory !== '') await rm(this.#directory, { recursive: true, force: true });
  }

  /** The alerts that fire now. */
  async firing(): Promise<Alert[]> {
    const { alerts } = await this.#get<{ alerts: Alert[] }>('alerts', {});
    return alerts.filter(({ state }) => state === 'firing');
  }

  /** The names of the alerts that have fired since a time, in seconds since 1970. */
  async firedSince(start: number): Promise<string[]> {
    const series = await this.range('group by (alertname) (ALERTS{alertstate="firing"})', start);
    return series.map(({ metric }) => metric.alertname!).toSorted();
  }

  /** The series of a query between a time and now. */
  async range(query: string, start: number, step = 0.5): Promise<Series[]> {
    const window = { start: String(start), end: String(now()), step: String(step) };
    const { result } = await this.#get<{ result: Series[] }>('query_range', { query, ...window });
    return result;
  }

  /** The exemplars of a query until now. */
  exemplars(query: string, start: number): Promise<SeriesExemplars[]> {
    return this.#get('query_exemplars', { query, start: String(start), end: String(now()) });
  }

  async #scaled(file: string): Promise<string> {
    const path = join(this.#directory, basename(file));
    await writeFile(path, scaledRules(await readFile(file, 'utf8'), this.factor));
    return path;
  }

  async #get<T>(what: string, parameters: Readonly<Record<string, string>>): Promise<T> {
    const url = `http://127.0.0.1:${this.#port}/api/v1/${what}?${new URLSearchParams(parameters).toString()}`;
    const answer = (await (await fetch(url)).json()) as { status: string; error?: string; data: T };
    if (answer.status !== 'success') throw new Error(`${what} ${JSON.stringify(parameters)}: ${answer.error}`);
    return answer.data;
  }

  async #ready(): Promise<void> {
    for (;;) {
      const ready = await fetch(`http://127.0.0.1:${this.#port}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (ready) return;
    }
  }
}

/** In seconds since 1970, as Prometheus has it. */
export function now(): number {
  return Date.now() / 1000;
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { DASHBOARDS } from '../../../deploy/observability/dashboards/all.js';
import type { QueryDefinition } from '../../../deploy/observability/dashboards/definition.js';
import { dashboardPicture } from '../../../deploy/observability/pictures/picture.js';
import type { Curve, Mark } from '../../../deploy/observability/pictures/run.js';
import { DemoProcesses } from './demo-processes.js';
import { now, Prometheus } from './prometheus.js';

const IMAGES = fileURLToPath(new URL('../../../docs/images/dashboards/', import.meta.url));
/** An hour of the rules lasts two minutes here, and Prometheus scrapes each second. */
const FACTOR = 30;
/** As Grafana has it: four scrapes. */
const RATE_INTERVAL = '4s';
/** As the documents tell to label the servers. */
const labels = { app_kubernetes_io_version: '1.0.0' };
const WARM_UP_SECONDS = 15;
const SECONDS = 150;
const MOST_BYTES = 200_000;

const CAPTION = [
  'Drawn from Prometheus by npm run test:external observability -- --pictures; not a screenshot of Grafana.',
  'The demo client calls three demo servers 60 times a second. One server is killed (SIGKILL) and started again; another is frozen (SIGSTOP) and goes on (SIGCONT).',
  'Compressed time: Prometheus scrapes each second, and an hour of the recording rules takes two minutes.',
];

test.skipIf(process.env.DASHBOARD_PICTURES === undefined)(
  'the dashboards of a run of the demo, as pictures',
  { timeout: 300_000 },
  async () => {
    const [prometheus, demo] = [new Prometheus(FACTOR), new DemoProcesses()];
    onTestFinished(async () => {
      await prometheus.close();
      await demo.close();
    });
    const targets = await demo.start();
    await prometheus.start(targets.map((target) => (target.job === 'demo-server' ? { ...target, labels } : target)));
    await sleep(WARM_UP_SECONDS * 1000);
    const began = now();
    const marks: Mark[] = [];
    const at = async (second: number, label: string, act: () => Promise<void> | void): Promise<void> => {
      await sleep((began + second - now()) * 1000);
      marks.push({ second, label });
      await act();
    };
    const { servers } = demo;
    await at(30, 'SIGKILL', () => servers[2]!.kill());
    await at(60, 'start', () => demo.startServer(2));
    await at(90, 'SIGSTOP', () => servers[1]!.signal('SIGSTOP'));
    await at(120, 'SIGCONT', () => servers[1]!.signal('SIGCONT'));
    await sleep((began + SECONDS - now()) * 1000);

    const curvesOf = async ({ expr, legend }: QueryDefinition): Promise<Curve[]> => {
      const query = expr.replaceAll('$__rate_interval', RATE_INTERVAL).replaceAll(/"\$\w+"/g, '".*"');
      const series = await prometheus.range(query, began, 1);
      return series.map(({ metric, values }) => {
        const name = legend.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? '');
        const bySecond = new Map(values.map(([time, value]) => [Math.round(time - began), Number(value)]));
        return { name, values: Array.from({ length: SECONDS + 1 }, (_, second) => bySecond.get(second) ?? NaN) };
      });
    };
    const calls = await prometheus.range('sum by (grpc_status) (grpc_client_call_duration_seconds_count)', began, 1);
    const outcome = calls.map(({ metric, values }) => `${values.at(-1)![1]} ${metric.grpc_status}`).toSorted();
    const caption = [...CAPTION, `How calls ended, since the client started: ${outcome.join(', ')}.`];
    mkdirSync(IMAGES, { recursive: true });
    for (const dashboard of DASHBOARDS) {
      const curves = new Map<string, Curve[]>();
      for (const { title, queries } of dashboard.rows.flatMap(({ panels }) => panels)) {
        const all = (await Promise.all(queries.map(curvesOf))).flat();
        curves.set(
          title,
          all.filter(({ values }) => values.some(Number.isFinite)),
        );
      }
      const picture = dashboardPicture({ dashboard, caption, seconds: SECONDS, marks, curves });
      expect(picture.length).toBeLessThan(MOST_BYTES);
      writeFileSync(`${IMAGES}${dashboard.uid}.svg`, picture);
    }
  },
);

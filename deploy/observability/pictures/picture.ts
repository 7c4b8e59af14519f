import { element, svg, text } from '../../../bench/sim/report/svg.js';
import { type PanelDefinition, panelsInLine, type RowDefinition } from '../dashboards/definition.js';
import { panelHeight, panelPicture } from './panel.js';
import type { Run } from './run.js';

const WIDTH = 1080;
const GAP = 10;
const CAPTION_TOP = 46;
const CAPTION_LINE = 18;

const STYLE = [
  '.small{font-size:11px}.tiny{font-size:9px}.title{font-size:18px}',
  '.card{fill:none;stroke:var(--grid)}.limit{stroke:#d1242f;stroke-dasharray:6 4}',
].join('');

/** A dashboard over a run, as an SVG for light and dark pages. */
export function dashboardPicture(run: Run): string {
  const { dashboard, caption } = run;
  const body = [
    element('style', {}, STYLE),
    text(0, 22, dashboard.title, { class: 'strong title' }),
    ...caption.map((words, i) => text(0, CAPTION_TOP + i * CAPTION_LINE, words, { class: 'soft' })),
  ];
  let top = CAPTION_TOP + caption.length * CAPTION_LINE;
  for (const row of dashboard.rows) {
    body.push(text(0, top + 16, row.title, { class: 'strong' }));
    top += 26;
    const columns = panelsInLine(row);
    const width = (WIDTH - (columns - 1) * GAP) / columns;
    for (const panels of linesOf(row)) {
      const height = Math.max(...panels.map(({ title }) => panelHeight(run.curves.get(title) ?? [])));
      panels.forEach((panel, i) =>
        body.push(panelPicture(panel, run, { left: i * (width + GAP), top, width, height })),
      );
      top += height + GAP;
    }
  }
  return svg(WIDTH, top, `${dashboard.title}. ${caption.join(' ')}`, body);
}

function linesOf(row: RowDefinition): PanelDefinition[][] {
  const columns = panelsInLine(row);
  const lines = Math.ceil(row.panels.length / columns);
  return Array.from({ length: lines }, (_, i) => row.panels.slice(i * columns, (i + 1) * columns));
}

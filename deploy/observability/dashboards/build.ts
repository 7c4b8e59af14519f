import * as common from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { type DashboardDefinition, type PanelDefinition, panelsInLine, type VariableDefinition } from './definition.js';

const TAG = 'nestjs-grpc-lb';
/** The data source is a variable, so that the dashboards can be imported as they are. */
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

/** The JSON of a dashboard as Grafana imports it. */
export function build(definition: DashboardDefinition): string {
  const { uid, title, description, variables, rows } = definition;
  const dashboard = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags([TAG])
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .link(
      new DashboardLinkBuilder('gRPC dashboards')
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .asDropdown(false)
        .includeVars(false)
        .keepTime(true),
    )
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'));
  for (const each of variables) dashboard.withVariable(variable(each));
  let id = 0;
  for (const row of rows) {
    dashboard.withRow(new RowBuilder(row.title).id(++id));
    for (const each of row.panels)
      dashboard.withPanel(
        panel(each)
          .span(24 / panelsInLine(row))
          .id(++id),
      );
  }
  return `${JSON.stringify(dashboard.build(), null, 2)}\n`;
}

function variable({ name, label, of, series }: VariableDefinition): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query({ query: `label_values(${series}, ${of})`, refId: name })
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ selected: true, text: ['All'], value: ['$__all'] });
}

function panel({ title, description, unit, stacked, threshold, queries }: PanelDefinition): PanelBuilder {
  const made = new PanelBuilder()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .unit(unit)
    .min(0)
    .height(8)
    .lineWidth(1)
    .fillOpacity(stacked ? 40 : 8)
    .showPoints(common.VisibilityMode.Never)
    .legend(
      new common.VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom),
    )
    .tooltip(
      new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending),
    );
  if (stacked) made.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal));
  if (threshold !== undefined) {
    const steps = [
      { value: null, color: 'green' },
      { value: threshold, color: 'red' },
    ];
    made.thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps));
    made.thresholdsStyle(new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Line));
  }
  queries.forEach(({ expr, legend }, i) =>
    made.withTarget(
      new DataqueryBuilder()
        .refId(String.fromCodePoint('A'.codePointAt(0)! + i))
        .expr(expr)
        .legendFormat(legend),
    ),
  );
  return made;
}

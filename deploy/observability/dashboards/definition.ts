/** A dashboard as data; `build.ts` makes Grafana's JSON of it. */
export interface DashboardDefinition {
  /** Also the name of its file. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** Beside the data source, in order; later ones depend on earlier ones. */
  readonly variables: readonly VariableDefinition[];
  readonly rows: readonly RowDefinition[];
}

export interface VariableDefinition {
  readonly name: string;
  readonly label: string;
  /** The label whose values it has. */
  readonly of: string;
  /** The series that have the label. */
  readonly series: string;
}

export interface RowDefinition {
  readonly title: string;
  readonly panels: readonly PanelDefinition[];
}

/** Three panels fill a line of a row, or two wide ones. */
export function panelsInLine({ panels }: RowDefinition): 2 | 3 {
  return panels.length === 2 || panels.length === 4 ? 2 : 3;
}

export interface PanelDefinition {
  readonly title: string;
  /** The question that it answers, and what a bad answer looks like. */
  readonly description: string;
  /** As Grafana names it. */
  readonly unit: Unit;
  /** Values are parts of a whole. */
  readonly stacked?: true;
  /** From here on it is red. */
  readonly threshold?: number;
  readonly queries: readonly QueryDefinition[];
}

export type Unit = 'reqps' | 'cps' | 's' | 'percentunit' | 'short' | 'Bps';

export interface QueryDefinition {
  readonly expr: string;
  /** `{{label}}` is its value. */
  readonly legend: string;
}

export function query(expr: string, legend: string): QueryDefinition {
  return { expr, legend };
}

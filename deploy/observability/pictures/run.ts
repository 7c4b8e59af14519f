import type { DashboardDefinition } from '../dashboards/definition.js';

/** What Prometheus recorded while something ran, for the picture of a dashboard. */
export interface Run {
  readonly dashboard: DashboardDefinition;
  /** Lines below the title: what ran, and where the picture comes from. */
  readonly caption: readonly string[];
  readonly seconds: number;
  readonly marks: readonly Mark[];
  /** By the title of the panel, in the order of its legend. */
  readonly curves: ReadonlyMap<string, readonly Curve[]>;
}

/** Something that happened. */
export interface Mark {
  readonly second: number;
  readonly label: string;
}

export interface Curve {
  readonly name: string;
  /** One for each second; NaN where Prometheus has no value. */
  readonly values: readonly number[];
}

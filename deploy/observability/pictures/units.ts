import type { Unit } from '../dashboards/definition.js';

/** How an axis shows values of a unit. */
export interface AxisUnit {
  readonly name: string;
  /** Values are multiplied by it. */
  readonly factor: number;
  /** The axis reaches at least this, so that nothing does not look like much. */
  readonly least: number;
}

/** The unit that suits an axis up to a value, with Grafana's names. */
export function axisUnit(unit: Unit, high: number): AxisUnit {
  switch (unit) {
    case 'reqps':
      return { name: 'req/s', factor: 1, least: 1 };
    case 'cps':
      return { name: 'c/s', factor: 1, least: 1 };
    case 's':
      return high < 1 ? { name: 'ms', factor: 1000, least: 1 } : { name: 's', factor: 1, least: 1 };
    case 'percentunit':
      return { name: '%', factor: 100, least: 1 };
    case 'Bps':
      return high < 1000 ? { name: 'B/s', factor: 1, least: 1 } : { name: 'kB/s', factor: 0.001, least: 1 };
    case 'short':
      return { name: '', factor: 1, least: 1 };
  }
}

import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Colors a text, or leaves it unchanged if colors are disabled. */
export type Paint = (style: Style, text: string) => string;

export const plain: Paint = (_style, text) => text;
export const coloured: Paint = (style, text) => styleText(style, text);

export const count = (value: number): string => value.toLocaleString('en-US');

/** Milliseconds: one decimal below ten, none above. */
export function ms(value: number | null): string {
  if (value === null) return '–';
  return value < 10 ? value.toFixed(1) : count(Math.round(value));
}

export const percent = (share: number): string => `${(share * 100).toFixed(share < 0.9995 ? 1 : 0)} %`;

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of at most `width` columns, to an eighth of a column. */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, share) * width * 8);
  return ('█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '')).padEnd(width);
}

/** Cells in columns: the first row is the header; `right` are the numeric columns. */
export function columns(rows: readonly (readonly string[])[], right: ReadonlySet<number>): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        right.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

/** Attributes of an element; undefined ones are left out. */
type Attributes = Readonly<Record<string, string | number | undefined>>;

export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? round(value) : escape(value!)}"`)
    .join('');
  return children.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${children.join('')}</${name}>`;
}

export function text(x: number, y: number, content: string, attributes: Attributes = {}): string {
  return element('text', { x, y, ...attributes }, escape(content));
}

export function line(x1: number, y1: number, x2: number, y2: number, attributes: Attributes = {}): string {
  return element('line', { x1, y1, x2, y2, ...attributes });
}

/** Colors of series that color-blind readers can tell apart (Okabe and Ito); the second for dark pages. */
const SERIES: readonly (readonly [light: string, dark: string])[] = [
  ['#0072b2', '#56b4e9'],
  ['#d55e00', '#ff8c42'],
  ['#008f6b', '#2ecc9a'],
  ['#b0508c', '#e39bc6'],
  ['#8a6d00', '#e6c229'],
  ['#57606a', '#9aa4af'],
];

const rules = (dark: 0 | 1): string => SERIES.map((pair, i) => `.s${i}{--c:${pair[dark]}}`).join('');

/**
 * Without a background, and with colors for light and dark pages; an image on a page follows the reader's preference
 * like the page itself.
 */
const STYLE = [
  ':root{--text:#1f2328;--soft:#59636e;--grid:#d1d9e0}',
  rules(0),
  `@media (prefers-color-scheme:dark){:root{--text:#e6edf3;--soft:#9198a1;--grid:#3d444d}${rules(1)}}`,
  'text{font:12px system-ui,sans-serif;fill:var(--text)}',
  '.soft{fill:var(--soft)}.strong{font-weight:600}',
  '.grid{stroke:var(--grid)}.axis{stroke:var(--soft)}',
  '.fill{fill:var(--c);stroke:var(--c)}.hollow{fill:none;stroke:var(--c);stroke-width:1.5}',
  '.curve{fill:none;stroke:var(--c);stroke-width:1.75;stroke-linejoin:round}',
].join('');

export function svg(width: number, height: number, title: string, body: readonly string[]): string {
  const attributes = { xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${width} ${height}`, width, height };
  return `${element('svg', { ...attributes, role: 'img' }, `<title>${escape(title)}</title><style>${STYLE}</style>`, ...body)}\n`;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escape(value: string | number): string {
  return String(value).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

/** What a viewer looks at. */
export interface ViewQuery {
  /** The name of the client; the first one if it is empty. */
  readonly client: string;
  readonly sort: EndpointSort;
  /** Shows only endpoints whose address, state or zone contains this text. */
  readonly filter: string;
  /** From 0. */
  readonly page: number;
}

const SORTS = ['attention', 'discovery', 'share', 'inFlight', 'p50', 'p99'] as const;

/** `attention`: what is not ready or fails comes first. `discovery`: the order of the list. The others: most first. */
export type EndpointSort = (typeof SORTS)[number];

const MAX_TEXT = 200;
const MAX_PAGE = 100_000;

/** Reads a query from outside: what it does not understand takes its default. */
export function viewQuery(query: Readonly<Record<string, unknown>>): ViewQuery {
  const text = (value: unknown): string => (typeof value === 'string' ? value.slice(0, MAX_TEXT) : '');
  const page = Number(query['page']);
  return {
    client: text(query['client']),
    sort: SORTS.find((each) => each === query['sort']) ?? 'attention',
    filter: text(query['filter']).trim().toLowerCase(),
    page: Number.isInteger(page) && page > 0 ? Math.min(page, MAX_PAGE) : 0,
  };
}

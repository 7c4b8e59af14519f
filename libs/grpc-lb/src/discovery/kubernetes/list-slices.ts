import { isObject, shown } from '../../core/options/validation.js';
import { isExpired, MalformedError, metadataOf, type SliceApi, versionOf } from './slice-api.js';

/** A thousand pages of a hundred slices of at most a thousand endpoints: nobody has that many. */
const MAX_PAGES = 1000;
const MAX_OBJECTS = 20_000;

export interface SliceList {
  readonly items: readonly unknown[];
  /** Where a watch goes on. */
  readonly resourceVersion: string;
}

/** All pages of a list. They are of one version, whatever changes meanwhile; begun anew once if that version expires. */
export async function listSlices(api: SliceApi, signal: AbortSignal): Promise<SliceList> {
  try {
    return await listPages(api, signal);
  } catch (error) {
    if (!isExpired(error)) throw error;
    return listPages(api, signal);
  }
}

async function listPages(api: SliceApi, signal: AbortSignal): Promise<SliceList> {
  const items: unknown[] = [];
  let token: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer = await api.list(token, signal);
    const { items: some } = (isObject(answer) ? answer : {}) as { items?: unknown };
    // Go writes an empty list as null.
    if (!Array.isArray(some) && some !== null) throw new MalformedError(`a list without items: ${shown(answer)}`);
    for (const item of some ?? []) items.push(item);
    if (items.length > MAX_OBJECTS) throw new MalformedError(`a list of more than ${MAX_OBJECTS} EndpointSlices`);
    const next: unknown = metadataOf(answer)['continue'];
    if (typeof next !== 'string' || next === '') return { items, resourceVersion: versionOf(answer) };
    if (next === token) throw new MalformedError('a list whose pages go round in a circle');
    token = next;
  }
  throw new MalformedError(`a list of more than ${MAX_PAGES} pages`);
}

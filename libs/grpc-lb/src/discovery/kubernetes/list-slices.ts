import { isExpired, MalformedError, metadataOf, type SliceApi, versionOf } from './slice-api.js';
import type { SliceReader, SliceStore } from './slice-store.js';

/** A thousand pages of a hundred slices of at most a thousand endpoints: no Service has that many. */
const MAX_PAGES = 1000;
const MAX_OBJECTS = 20_000;
/** Those of Kubernetes have some hundred characters, and are sent back in a URL. */
const MAX_TOKEN = 16_384;

/**
 * Reads all pages of a list into the store. All have one version, whatever changes meanwhile; it restarts once if that
 * version expires. Resolves with the version from which a watch continues.
 */
export async function listSlices(api: SliceApi, store: SliceStore, signal: AbortSignal): Promise<string> {
  try {
    return await listPages(api, store.reader(), signal);
  } catch (error) {
    if (!isExpired(error)) throw error;
    return listPages(api, store.reader(), signal);
  }
}

async function listPages(api: SliceApi, reader: SliceReader, signal: AbortSignal): Promise<string> {
  let objects = 0;
  const onObject = (object: unknown): void => {
    if (++objects > MAX_OBJECTS) throw new MalformedError(`a list of more than ${MAX_OBJECTS} EndpointSlices`);
    reader.add(object);
  };
  let token: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer = await api.list(token, onObject, signal);
    signal.throwIfAborted();
    const next: unknown = metadataOf(answer)['continue'];
    if (typeof next !== 'string' || next === '') {
      const version = versionOf(answer);
      reader.use();
      return version;
    }
    if (next === token) throw new MalformedError('a list whose pages repeat');
    if (next.length > MAX_TOKEN) throw new MalformedError(`a continue token of more than ${MAX_TOKEN} characters`);
    token = next;
  }
  throw new MalformedError(`a list of more than ${MAX_PAGES} pages`);
}

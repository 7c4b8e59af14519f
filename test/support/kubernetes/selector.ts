import type { SliceObject } from './slices.js';

/** Which objects a list or a watch is about: namespace, `labelSelector` (with `=`, `==`, `!=`) and `metadata.name`. */
export function selectorOf(
  parameters: URLSearchParams,
  namespace: string | undefined,
): (object: SliceObject) => boolean {
  const labels = requirements(parameters.get('labelSelector'));
  const fields = requirements(parameters.get('fieldSelector'));
  return ({ metadata }) =>
    (namespace === undefined || metadata.namespace === namespace) &&
    labels.every(({ key, value, equal }) => (metadata.labels[key] === value) === equal) &&
    fields.every(({ key, value, equal }) => {
      const found = { 'metadata.name': metadata.name, 'metadata.namespace': metadata.namespace }[key];
      return (found === value) === equal;
    });
}

function requirements(text: string | null): { key: string; value: string; equal: boolean }[] {
  if (text === null || text === '') return [];
  return text.split(',').map((requirement) => {
    const parts = /^([^=!]+)(==|=|!=)(.*)$/.exec(requirement);
    if (!parts) throw new Error(`this API server does not know the selector "${requirement}"`);
    return { key: parts[1]!, value: parts[3]!, equal: parts[2] !== '!=' };
  });
}

import type { SliceObject } from './slices.js';

/** How the API server shows slices to kubectl: `Accept: application/json;as=Table;g=meta.k8s.io;v=v1`. */

const COLUMNS = [
  { name: 'Name', type: 'string', format: 'name', description: 'Name of the slice', priority: 0 },
  { name: 'AddressType', type: 'string', format: '', description: 'Kind of its addresses', priority: 0 },
  { name: 'Ports', type: 'string', format: '', description: 'Ports of its endpoints', priority: 0 },
  { name: 'Endpoints', type: 'string', format: '', description: 'Their addresses', priority: 0 },
  { name: 'Age', type: 'string', format: '', description: 'Since it was made', priority: 0 },
];

interface EndpointShape {
  readonly addresses?: readonly string[];
}

export function asTable(objects: readonly SliceObject[], metadata: object, withColumns = true): object {
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    // Only the first table of a watch has them.
    columnDefinitions: withColumns ? COLUMNS : null,
    rows: objects.map((object) => ({
      cells: [
        object.metadata.name,
        object.addressType,
        ((object.ports ?? []) as { port?: number }[]).map(({ port = '*' }) => port).join(',') || '<unset>',
        shownEndpoints((object.endpoints ?? []) as EndpointShape[]),
        '1d',
      ],
      object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata },
    })),
  };
}

/** Three, and the number of the others, as kubectl shows them for a real cluster. */
function shownEndpoints(endpoints: readonly EndpointShape[]): string {
  const addresses = endpoints.flatMap((endpoint) => endpoint.addresses ?? []);
  if (addresses.length === 0) return '<unset>';
  const more = addresses.length > 3 ? ` + ${addresses.length - 3} more...` : '';
  return `${addresses.slice(0, 3).join(',')}${more}`;
}

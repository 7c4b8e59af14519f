import * as client from '@kubernetes/client-node';

interface Attribute {
  readonly baseName: string;
  readonly type: string;
}

/** The classes of client-node know the fields of everything in Kubernetes. */
const CLASSES = client as unknown as Record<string, { getAttributeTypeMap?(): Attribute[] } | undefined>;

/** Paths of all fields that a type of Kubernetes does not have, as `spec.template.spec.container`. */
export function unknownFields(value: unknown, type: string, path = ''): string[] {
  const list = /^Array<(.*)>$/.exec(type)?.[1];
  if (list !== undefined && Array.isArray(value)) {
    return value.flatMap((item, i) => unknownFields(item, list, `${path}[${i}]`));
  }
  const attributes = CLASSES[type]?.getAttributeTypeMap?.();
  if (!attributes || typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) => {
    const here = path === '' ? name : `${path}.${name}`;
    const attribute = attributes.find(({ baseName }) => baseName === name);
    return attribute ? unknownFields(field, attribute.type, here) : [here];
  });
}

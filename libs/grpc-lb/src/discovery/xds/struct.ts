import { isObject } from '../../core/options/validation.js';

/** A JSON object as google.protobuf.Struct. */
export function toStruct(json: object): object {
  return { fields: Object.fromEntries(Object.entries(json).map(([key, value]) => [key, toValue(value)])) };
}

function toValue(value: unknown): object {
  switch (typeof value) {
    case 'string':
      return { stringValue: value };
    case 'number':
      return { numberValue: value };
    case 'boolean':
      return { boolValue: value };
    default:
      if (Array.isArray(value)) return { listValue: { values: value.map(toValue) } };
      return isObject(value) ? { structValue: toStruct(value) } : { nullValue: 'NULL_VALUE' };
  }
}

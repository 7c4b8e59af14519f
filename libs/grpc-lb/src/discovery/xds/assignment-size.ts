import { MAX_ENDPOINTS } from '../../core/endpoint-check.js';
import { eachField, countFields, type Shape } from './wire.js';

/** The number of priorities times the number of zones of the largest clouds. */
const MAX_LOCALITIES = 1000;
/** An endpoint with all fields that are read has ten. */
const MAX_FIELDS = 12 * MAX_ENDPOINTS;

const CLUSTER_NAME = 1;
const LOCALITIES = 2;
const LB_ENDPOINTS = 2;

/** The messages of a ClusterLoadAssignment that are decoded, by field number. */
const ASSIGNMENT: Shape = {
  2: { 1: {}, 2: { 1: { 1: { 1: {}, 2: {} } }, 4: {} }, 3: {}, 7: {}, 8: {} },
  4: { 2: {}, 3: {} },
};

export interface AssignmentSize {
  readonly name: string;
  /** The cost of decoding it. */
  readonly fields: number;
  /** Why it must not be decoded. */
  readonly fault: string | undefined;
}

/** Measures an encoded assignment before it is decoded. @throws Error if the bytes are not such a message. */
export function sizeOf(bytes: Uint8Array): AssignmentSize {
  let name = '';
  let localities = 0;
  let endpoints = 0;
  eachField(bytes, (field, start, end) => {
    if (field === CLUSTER_NAME) name = Buffer.from(bytes.subarray(start, Math.min(end, start + 1024))).toString();
    if (field !== LOCALITIES || ++localities > MAX_LOCALITIES || endpoints > MAX_ENDPOINTS) return;
    const count = (inner: number): boolean => inner !== LB_ENDPOINTS || ++endpoints <= MAX_ENDPOINTS;
    eachField(bytes, count, start, end);
  });
  const fields = countFields(bytes, ASSIGNMENT, MAX_FIELDS);
  return { name, fields, fault: faultOf(localities, endpoints, fields) };
}

function faultOf(localities: number, endpoints: number, fields: number): string | undefined {
  if (localities > MAX_LOCALITIES) return `has ${localities} localities; use ${MAX_LOCALITIES} at most`;
  if (endpoints > MAX_ENDPOINTS) return `has more than ${MAX_ENDPOINTS} endpoints; use fewer`;
  return fields > MAX_FIELDS ? `has more than ${MAX_FIELDS} fields; remove those that are not needed` : undefined;
}

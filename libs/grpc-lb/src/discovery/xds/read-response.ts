import { printable } from '../../core/printable.js';
import { shown } from '../../core/options/validation.js';
import { sizeOf } from './assignment-size.js';
import { decodeAssignment, type DiscoveryResponse, EDS_TYPE_URL } from './eds-messages.js';
import { type LoadAssignment, readAssignment } from './load-assignment.js';

/** The good and the faulty parts of a response. */
export interface ReadResponse {
  readonly assignments: ReadonlyMap<string, LoadAssignment>;
  /** The names whose resource is faulty, each with its fault. */
  readonly faulty: ReadonlyMap<string, string>;
  /** For the control plane. */
  readonly faults: readonly string[];
}

/** The control plane gets the faults back: a response with a million faults must not cause an equally long answer. */
const MAX_FAULTS = 10;
/** Fields to decode before yielding: some 5000 endpoints. */
const FIELDS_A_TURN = 50_000;
/** The cost of a resource in addition to its fields. */
const FIELDS_A_RESOURCE = 10;

/** Reads a response in parts of some ten milliseconds each, and yields in between. */
export function* readResponse({ resources, unread = 0 }: DiscoveryResponse): Generator<undefined, ReadResponse> {
  const assignments = new Map<string, LoadAssignment>();
  const faulty = new Map<string, string>();
  const faults: string[] = [];
  let more = 0;
  let work = 0;
  const refuse = (fault: string): void => void (faults.length < MAX_FAULTS ? faults.push(printable(fault)) : more++);
  for (const [i, { type_url: type, value }] of resources.entries()) {
    if (type !== EDS_TYPE_URL) {
      refuse(`resources[${i}] is of the type ${shown(type)}, not ${EDS_TYPE_URL}`);
      continue;
    }
    try {
      const { name, fields, fault } = sizeOf(value);
      work += fields + FIELDS_A_RESOURCE;
      const assignment = fault === undefined ? readAssignment(decodeAssignment(value)) : undefined;
      const wrong = fault ?? assignment!.faults.map((each) => `${each.path} ${each.message}`).join(', ');
      if (wrong === '' && !assignments.has(name)) {
        assignments.set(name, assignment!);
      } else {
        faulty.set(name, printable(wrong || 'is in the response twice'));
        refuse(`${shown(name)}: ${faulty.get(name)}`);
      }
    } catch (error) {
      refuse(`resources[${i}] cannot be decoded: ${(error as Error).message}`);
    }
    if (work < FIELDS_A_TURN) continue;
    work = 0;
    yield;
  }
  for (const name of faulty.keys()) assignments.delete(name);
  if (unread > 0) refuse(`has ${resources.length + unread} resources; at most ${resources.length} are read`);
  if (more > 0) faults.push(`and ${more} more`);
  return { assignments, faulty, faults };
}

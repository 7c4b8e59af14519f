import { shown } from '../../core/options/validation.js';
import { decodeAssignment, type DiscoveryResponse, EDS_TYPE_URL } from './eds-messages.js';
import { type LoadAssignment, readAssignment } from './load-assignment.js';

/** What is good in a response, and what is not. */
export interface ReadResponse {
  readonly assignments: ReadonlyMap<string, LoadAssignment>;
  /** The names whose resource is faulty, each with what is wrong. */
  readonly faulty: ReadonlyMap<string, string>;
  /** For the control plane. */
  readonly faults: readonly string[];
}

/** The control plane gets them back: a response with a million faults must not have an answer with as many. */
const MAX_FAULTS = 10;

export function readResponse({ resources }: DiscoveryResponse): ReadResponse {
  const assignments = new Map<string, LoadAssignment>();
  const faulty = new Map<string, string>();
  const faults: string[] = [];
  let more = 0;
  const refuse = (fault: string): void => void (faults.length < MAX_FAULTS ? faults.push(fault) : more++);
  for (const [i, { type_url: type, value }] of resources.entries()) {
    if (type !== EDS_TYPE_URL) {
      refuse(`resources[${i}] is of the type ${shown(type)}, not ${EDS_TYPE_URL}`);
      continue;
    }
    try {
      const message = decodeAssignment(value);
      const { cluster_name: name } = message;
      const assignment = readAssignment(message);
      const wrong = assignment.faults.map((fault) => `${fault.path} ${fault.message}`).join(', ');
      if (wrong === '' && !assignments.has(name)) {
        assignments.set(name, assignment);
      } else {
        faulty.set(name, wrong || 'is in the response twice');
        refuse(`${shown(name)}: ${faulty.get(name)}`);
      }
    } catch (error) {
      refuse(`resources[${i}] cannot be decoded: ${(error as Error).message}`);
    }
  }
  for (const name of faulty.keys()) assignments.delete(name);
  if (more > 0) faults.push(`and ${more} more`);
  return { assignments, faulty, faults };
}

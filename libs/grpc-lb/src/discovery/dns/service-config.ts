import { parseBoundedJson } from '../../core/bounded-json.js';
import type { Fault } from '../../core/errors.js';
import { type Check, fields, integer, isObject, listOf, shown } from '../../core/options/validation.js';

/** The client for which a service config is chosen from a TXT record. */
export interface ConfigChooser {
  readonly hostname: string;
  /** From 0 to below 100, constant for one client: a choice with a higher percentage applies to it. */
  readonly percentile: number;
}

export interface ChosenConfig {
  /** Absent if no choice applies to this client. */
  readonly config?: object;
  /** The fault of the record; nothing is chosen then. */
  readonly fault?: string;
}

const ATTRIBUTE = 'grpc_config=';
const LANGUAGE = 'node';
/** A DNS message has no more. */
const MAX_LENGTH = 65_535;
/** A config has some ten for each method. */
const MAX_VALUES = 5000;

const text: Check = (path, value, faults) => {
  if (typeof value !== 'string') faults.push({ path, message: `is ${shown(value)}; use a string` });
};
const object: Check = (path, value, faults) => {
  if (!isObject(value)) faults.push({ path, message: `is ${shown(value)}; use an object` });
};

interface Choice {
  readonly clientLanguage?: readonly string[];
  readonly percentage?: number;
  readonly clientHostname?: readonly string[];
  readonly serviceConfig: object;
}

// gRFC A2: "If any unexpected field name is present in this object, the entire choice is considered invalid."
const known = fields({
  clientLanguage: listOf(text, 'a list of strings'),
  percentage: integer({ min: 0, max: 100 }),
  clientHostname: listOf(text, 'a list of strings'),
  serviceConfig: object,
});
const choice: Check = (path, value, faults) => {
  known(path, value, faults);
  if (isObject(value) && !('serviceConfig' in value)) faults.push({ path, message: 'has no serviceConfig; add it' });
};

/** The service config for this client, from the TXT records of `_grpc_config.<name>` (gRFC A2). */
export function chooseServiceConfig(records: unknown, chooser: ConfigChooser): ChosenConfig {
  if (!Array.isArray(records)) return { fault: `the answer is ${shown(records)}, not a list of TXT records` };
  const texts = records.slice(0, 100).map(textOf);
  const configs = texts.filter((each) => each.startsWith(ATTRIBUTE));
  if (configs.length === 0) return {};
  if (configs.length > 1) return { fault: `there are ${configs.length} records with ${ATTRIBUTE}; keep one` };
  const parsed = parse(configs[0]!.slice(ATTRIBUTE.length));
  if ('fault' in parsed) return parsed;
  const { choices } = parsed;
  const faults: Fault[] = [];
  listOf(choice, 'a JSON list of choices')('grpc_config', choices, faults);
  // gRFC A2: one invalid choice discards all, and as in A21 the last good one stays.
  if (faults.length > 0) return { fault: `${faults[0]!.path} ${faults[0]!.message}` };
  const chosen = (choices as Choice[]).find((each) => matches(each, chooser));
  return chosen ? { config: chosen.serviceConfig } : {};
}

/** RFC 1464, and RFC 7208 3.3: the strings of one record are concatenated without a space between them. */
function textOf(record: unknown): string {
  if (!Array.isArray(record)) return '';
  const texts = record.slice(0, 1000).filter((each) => typeof each === 'string');
  return texts.join('').slice(0, MAX_LENGTH);
}

function parse(json: string): { readonly choices: unknown } | { readonly fault: string } {
  try {
    return { choices: parseBoundedJson(json, { maxValues: MAX_VALUES }) };
  } catch (error) {
    return error instanceof SyntaxError ? { choices: json } : { fault: `it has ${(error as Error).message}` };
  }
}

/** gRFC A2: "If a field is absent or empty, it matches all clients. All fields must match." */
function matches(
  { clientLanguage = [], percentage = 100, clientHostname = [] }: Choice,
  client: ConfigChooser,
): boolean {
  return (
    (clientLanguage.length === 0 || clientLanguage.some((language) => language.toLowerCase() === LANGUAGE)) &&
    (clientHostname.length === 0 || clientHostname.includes(client.hostname)) &&
    client.percentile < percentage
  );
}

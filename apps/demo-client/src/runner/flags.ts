import { parseArgs } from 'node:util';
import type { PolicyName } from 'nestjs-grpc-lb';

/**
 * The values of `--policy`: each policy of the package that needs only its name. The package exports the names as a
 * type only, and is not loaded here, because flags are read before it is built; so the compiler compares the two.
 */
const POLICY_SET: Readonly<Record<PolicyName, true>> = {
  least_request: true,
  adaptive: true,
  peak_ewma: true,
  hot_cold: true,
  round_robin: true,
  weighted_round_robin: true,
  random: true,
  pick_first: true,
};
const POLICIES = Object.keys(POLICY_SET) as readonly PolicyName[];
const DEFAULT_POLICY: PolicyName = 'least_request';

export interface Flags {
  /** null: until Ctrl-C. */
  readonly seconds: number | null;
  /** null: half of `seconds`, or 15 without it. */
  readonly baselineSeconds: number | null;
  readonly json: string | null;
  readonly policy: PolicyName;
  readonly rate: number;
  readonly backends: number;
  readonly slow: number;
  readonly delayMs: number;
  readonly slots: number;
  readonly errorRate: number;
  readonly deadlineMs: number;
  /** null: 3000, or any free port if that one is taken. */
  readonly port: number | null;
}

export const HELP = `
Five backends and a client that calls them at a steady rate: first with what Nest
gives today (one connection, pick_first), then balanced by nestjs-grpc-lb.

  npm run demo [-- flags]

  --seconds N            end after N seconds of load, half for each phase
                         (without it: 15 seconds, then balanced until Ctrl-C)
  --baseline-seconds N   how long the first phase lasts; 0 leaves it out
  --json FILE            write the figures of each phase to FILE at the end
  --policy NAME          of the second phase               (${DEFAULT_POLICY})
                         ${inLines(POLICIES)}
  --rate N               calls started a second                      (240)
  --deadline-ms N        deadline of each call                       (5000)
  --backends N           how many backends                           (5)
  --slow N               how many times slower the last one is       (3)
  --delay-ms N           mean work behind one call                   (20)
  --slots N              calls one backend works on at a time        (4)
  --error-rate N         share of calls that backends fail, 0 to 1   (0)
  --port N               port of the page          (3000, or a free one)
  --help                 this text

A backend answers at most slots * 1000 / delay-ms calls a second: 200 as it stands.
docs/guide/demo.md tells how to read the table.
`;

/** Invalid flags, all of them at once. */
export class FlagError extends Error {}

interface NumberFlag {
  readonly flag: string;
  readonly fallback: number | null;
  readonly min: number;
  readonly max: number;
  readonly whole?: boolean;
}

const NUMBERS = {
  seconds: { flag: 'seconds', fallback: null, min: 2, max: 86_400 },
  baselineSeconds: { flag: 'baseline-seconds', fallback: null, min: 0, max: 3600 },
  rate: { flag: 'rate', fallback: 240, min: 1, max: 5000 },
  deadlineMs: { flag: 'deadline-ms', fallback: 5000, min: 1, max: 60_000, whole: true },
  backends: { flag: 'backends', fallback: 5, min: 1, max: 20, whole: true },
  slow: { flag: 'slow', fallback: 3, min: 1, max: 100 },
  delayMs: { flag: 'delay-ms', fallback: 20, min: 0, max: 10_000 },
  slots: { flag: 'slots', fallback: 4, min: 1, max: 10_000, whole: true },
  errorRate: { flag: 'error-rate', fallback: 0, min: 0, max: 1 },
  port: { flag: 'port', fallback: null, min: 0, max: 65_535, whole: true },
} satisfies Record<string, NumberFlag>;

/** null if help was requested. */
export function readFlags(args: readonly string[]): Flags | null {
  const { tokens } = parseArgs({ args: [...args], options: OPTIONS, strict: false, tokens: true });
  const faults: string[] = [];
  const values = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind === 'positional') faults.push(`"${token.value}" is not a flag`);
    if (token.kind !== 'option') continue;
    if (token.name === 'help' || token.name === 'h') return null;
    if (!(token.name in OPTIONS)) faults.push(`${token.rawName} is not a flag`);
    else if (!token.value || token.value.startsWith('--')) faults.push(`${token.rawName} needs a value`);
    else values.set(token.name, token.value);
  }
  const numbers = Object.entries(NUMBERS).map(([key, rule]) => [key, readNumber(rule, values.get(rule.flag), faults)]);
  const policy = values.get('policy') ?? DEFAULT_POLICY;
  if (!isPolicy(policy)) faults.push(`--policy ${policy}: use one of ${POLICIES.join(', ')}`);
  const flags = { ...Object.fromEntries(numbers), policy, json: values.get('json') ?? null } as Flags;
  if (flags.seconds !== null && flags.baselineSeconds !== null && flags.baselineSeconds >= flags.seconds) {
    faults.push(
      `--baseline-seconds ${flags.baselineSeconds} leaves no time for the second phase: use less than --seconds`,
    );
  }
  if (faults.length > 0) throw new FlagError(faults.join('\n'));
  return flags;
}

const OPTIONS = {
  json: { type: 'string' },
  policy: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  ...Object.fromEntries(Object.values(NUMBERS).map(({ flag }) => [flag, { type: 'string' as const }])),
} as const;

function isPolicy(name: string): name is PolicyName {
  return Object.hasOwn(POLICY_SET, name);
}

/** As many per line as fit into the right column of the help. */
function inLines(names: readonly string[]): string {
  return names.join(', ').replaceAll(/(.{1,48},) /g, `$1\n${' '.repeat(25)}`);
}

function readNumber(rule: NumberFlag, text: string | undefined, faults: string[]): number | null {
  if (text === undefined) return rule.fallback;
  const value = Number(text);
  if (!(value >= rule.min && value <= rule.max) || (rule.whole && !Number.isInteger(value))) {
    const kind = rule.whole ? 'a whole number' : 'a number';
    faults.push(`--${rule.flag} ${text}: use ${kind} from ${rule.min} to ${rule.max}`);
  }
  return value;
}

/** Whether the program is done: help was requested, or the flags are invalid, which ends in exit code 2. */
export function answerWithoutRunning(args: readonly string[]): boolean {
  try {
    if (readFlags(args) !== null) return false;
    process.stdout.write(HELP);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    complain(error);
  }
  return true;
}

export function complain(error: FlagError): void {
  process.stderr.write(
    `demo: ${error.message.replaceAll('\n', '\n      ')}\n      npm run demo -- --help lists the flags\n`,
  );
  process.exitCode = 2;
}

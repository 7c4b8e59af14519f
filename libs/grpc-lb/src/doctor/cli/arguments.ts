import { readFileSync } from 'node:fs';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { didYouMean, shown } from '../../core/options/validation.js';
import type { DoctorSeverity } from '../codes.js';
import type { DoctorClientOptions, DoctorOptions, DoctorTlsOptions } from '../options.js';

/** A command line that cannot be understood; the message says what to write. */
export class UsageError extends Error {}

/** What a command line asks for. */
export type Command =
  | { readonly kind: 'help' | 'version' }
  | {
      readonly kind: 'doctor';
      readonly options: DoctorOptions;
      readonly json: boolean;
      /** The least severity that makes the exit status 1. */
      readonly failOn: Exclude<DoctorSeverity, 'note'>;
    };

const OPTIONS = {
  tls: { type: 'boolean' },
  ca: { type: 'string' },
  cert: { type: 'string' },
  key: { type: 'string' },
  'server-name': { type: 'string' },
  proto: { type: 'string', multiple: true },
  include: { type: 'string', multiple: true },
  service: { type: 'string', multiple: true },
  method: { type: 'string', multiple: true },
  options: { type: 'string' },
  concurrency: { type: 'string' },
  quick: { type: 'boolean' },
  timeout: { type: 'string' },
  'max-endpoints': { type: 'string' },
  'expiry-days': { type: 'string' },
  'max-clock-skew': { type: 'string' },
  'fail-on': { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const satisfies NonNullable<ParseArgsConfig['options']>;

/** @throws UsageError */
export function parseCommand(argv: readonly string[]): Command {
  const { values, positionals } = parsed(argv);
  if (values.version) return { kind: 'version' };
  const [command, target, ...more] = positionals;
  if (values.help || command === undefined || command === 'help') return { kind: 'help' };
  if (command !== 'doctor') throw new UsageError(`the command is ${shown(command)}; the only one is doctor`);
  if (target === undefined)
    throw new UsageError('the target is missing; write it after doctor, as in dns:///orders:50051');
  if (more.length > 0) throw new UsageError(`${shown(more[0])} follows the target; examine one target at a time`);
  const { quick = false, json = false } = values;
  return {
    kind: 'doctor',
    json,
    failOn: severity(values['fail-on'] ?? (quick ? 'error' : 'warning')),
    options: {
      target,
      quick,
      tls: tlsOf(values),
      proto: values.proto,
      includeDirs: values.include,
      services: values.service,
      methods: values.method,
      client: values.options === undefined ? undefined : clientOf(values.options),
      concurrency: numberOf('concurrency', values.concurrency),
      timeout: numberOf('timeout', values.timeout),
      maxEndpoints: numberOf('max-endpoints', values['max-endpoints']),
      expiryDays: numberOf('expiry-days', values['expiry-days']),
      maxClockSkew: numberOf('max-clock-skew', values['max-clock-skew']),
    },
  };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw new UsageError(message, { cause: error });
    const name = /'--?([^'\s]*)'/.exec(message)?.[1] ?? '';
    const meant = didYouMean(name, Object.keys(OPTIONS)).replace('"', '"--');
    throw new UsageError(`--${name} is not an option${meant}`, { cause: error });
  }
}

interface TlsValues {
  readonly tls?: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly 'server-name'?: string;
}

/** Any option about TLS means TLS. */
function tlsOf({ tls = false, ca, cert, key, 'server-name': serverName }: TlsValues): boolean | DoctorTlsOptions {
  if ([ca, cert, key, serverName].every((each) => each === undefined)) return tls;
  return {
    ...(ca !== undefined && { ca: contentOf('ca', ca) }),
    ...(cert !== undefined && { cert: contentOf('cert', cert) }),
    ...(key !== undefined && { key: contentOf('key', key) }),
    ...(serverName !== undefined && { serverName }),
  };
}

function contentOf(option: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(`--${option} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

/** JSON itself, or a file with it. */
function clientOf(text: string): DoctorClientOptions {
  const json = text.trimStart().startsWith('{') ? text : contentOf('options', text).toString('utf8');
  try {
    return JSON.parse(json) as DoctorClientOptions;
  } catch (error) {
    throw new UsageError(`--options is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

function numberOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--${option} is ${shown(text)}; use a whole number`);
  return Number(text);
}

function severity(text: string): 'error' | 'warning' {
  if (text === 'error' || text === 'warning') return text;
  throw new UsageError(`--fail-on is ${shown(text)}; use error or warning`);
}

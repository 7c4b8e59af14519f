import type { CanActivate, ModuleMetadata, Type } from '@nestjs/common';
import { type Fault, GrpcLbOptionsError } from '../core/errors.js';
import { boolean, type Check, fields, integer, isObject, listOf, shown } from '../core/options/validation.js';

/** A guard of Nest: a class, which Nest instantiates in the module of the console, or an instance. */
export type ConsoleGuard = Type<CanActivate> | CanActivate;

/** What the page may do beside showing. */
export interface ConsoleActionsOptions {
  /**
   * Decide who may act: at least one, as in `[AdminGuard]`. They run after `guards`. Their dependencies come from
   * `imports`.
   */
  readonly guards: readonly ConsoleGuard[];
}

/** How calls are observed, for the latencies and the recent calls of the page. */
export interface ConsoleCallsOptions {
  /**
   * Calls that are observed in a second, over all clients, 1 to 100000. Of more calls a random sample is observed.
   *
   * @default 500
   */
  readonly maxPerSecond?: number;
  /**
   * Whether calls are observed while no page is open, too, so that failed calls are there when the page opens.
   *
   * @default false: without an open page no call is observed
   */
  readonly always?: boolean;
}

/** A part of the page that the application adds: a module script with a default export, `(panel) => void`. */
export interface ConsolePanel {
  /** The heading. */
  readonly title: string;
  /** The path of the script on this server, as in `/demo/panel.js`. */
  readonly script: string;
  /**
   * The path of a style sheet on this server.
   *
   * @default none
   */
  readonly style?: string;
}

/** What `GrpcLbConsoleModule.forRoot` takes. */
export interface GrpcLbConsoleOptions {
  /**
   * Where the page is, without pattern characters; `/` is possible. A global prefix of the application precedes it.
   *
   * @default '/grpc-lb'
   */
  readonly path?: string;
  /**
   * The heading of the page.
   *
   * @default 'gRPC clients'
   */
  readonly title?: string;
  /**
   * Decide who may see the page.
   *
   * @default [] everybody who reaches the application
   */
  readonly guards?: readonly ConsoleGuard[];
  /**
   * Modules that provide what the guards inject.
   *
   * @default []
   */
  readonly imports?: ModuleMetadata['imports'];
  /**
   * Actions: eject, drain, recycle and restore an endpoint, and change the policy of a client.
   *
   * @default false: the page is read only
   */
  readonly actions?: false | ConsoleActionsOptions;
  /**
   * How calls are observed; `false` for not at all, which leaves latencies and recent calls empty.
   *
   * @default {} while a page is open, at most 500 calls a second
   */
  readonly calls?: false | ConsoleCallsOptions;
  /**
   * Pages that may be open at the same time, 1 to 1000. Further ones are told to come back later.
   *
   * @default 20
   */
  readonly maxViewers?: number;
  /**
   * Parts of the page that the application adds.
   *
   * @default []
   */
  readonly panels?: readonly ConsolePanel[];
}

/** The options with every default filled in. */
export interface EffectiveConsoleOptions {
  readonly path: string;
  readonly title: string;
  readonly guards: readonly ConsoleGuard[];
  readonly actions: ConsoleActionsOptions | undefined;
  readonly calls: Required<ConsoleCallsOptions> | undefined;
  readonly maxViewers: number;
  readonly panels: readonly ConsolePanel[];
}

const PATH = /^(?:\/[\w.~-]+)*\/?$/;
/** Two slashes would name another server. */
const OWN_PATH = /^\/(?!\/)[\w./~-]*$/;

const path: Check = (at, value, faults) => {
  if (typeof value !== 'string' || !PATH.test(value) || value === '')
    faults.push({ path: at, message: `is ${shown(value)}; use a path without patterns, as in /grpc-lb` });
};

const title: Check = (at, value, faults) => {
  if (typeof value !== 'string' || value.trim() === '')
    faults.push({ path: at, message: `is ${shown(value)}; use a text` });
};

const ownPath: Check = (at, value, faults) => {
  if (typeof value !== 'string' || !OWN_PATH.test(value))
    faults.push({ path: at, message: `is ${shown(value)}; use a path on this server, as in /demo/panel.js` });
};

const guard: Check = (at, value, faults) => {
  const works =
    typeof value === 'function' || (isObject(value) && typeof (value as CanActivate).canActivate === 'function');
  if (!works) faults.push({ path: at, message: `is ${shown(value)}; use the class of a guard, or an instance` });
};

const guards = listOf(guard, 'a list of guards, as in [AdminGuard]');

/** A list that turns out to be empty would leave the actions open to everybody. */
const someGuards: Check = (at, value, faults) => {
  if (Array.isArray(value) && value.length === 0)
    faults.push({ path: at, message: 'is empty; list at least one guard that decides who may act' });
  else guards(at, value, faults);
};

const actions: Check = (at, value, faults) => {
  if (value === false) return;
  const before = faults.length;
  fields({ guards: someGuards })(at, value, faults);
  if (faults.length === before && (value as Partial<ConsoleActionsOptions>).guards === undefined)
    faults.push({ path: `${at}.guards`, message: 'is missing; list the guards that decide who may act' });
};

const calls: Check = (at, value, faults) => {
  if (value !== false) fields({ maxPerSecond: integer({ min: 1, max: 100_000 }), always: boolean })(at, value, faults);
};

const panel: Check = (at, value, faults) => {
  const before = faults.length;
  fields({ title, script: ownPath, style: ownPath })(at, value, faults);
  for (const field of ['title', 'script'])
    if (faults.length === before && (value as Readonly<Record<string, unknown>>)[field] === undefined)
      faults.push({ path: `${at}.${field}`, message: 'is missing' });
};

const modules: Check = (at, value, faults) => {
  if (!Array.isArray(value)) faults.push({ path: at, message: `is ${shown(value)}; use a list of modules` });
};

const check = fields({
  path,
  title,
  guards,
  imports: modules,
  actions,
  calls,
  maxViewers: integer({ min: 1, max: 1000 }),
  panels: listOf(panel, 'a list of panels, as in [{ title, script }]'),
});

/** @throws GrpcLbOptionsError that lists all faults. */
export function effectiveConsoleOptions(options: GrpcLbConsoleOptions): EffectiveConsoleOptions {
  const faults: Fault[] = [];
  check('', options, faults);
  if (faults.length > 0) throw new GrpcLbOptionsError('GrpcLbConsoleModule.forRoot', faults);
  const { calls: observed = {}, actions: acts = false } = options;
  return {
    path: options.path ?? '/grpc-lb',
    title: options.title ?? 'gRPC clients',
    guards: options.guards ?? [],
    actions: acts === false ? undefined : acts,
    calls:
      observed === false ? undefined : { maxPerSecond: observed.maxPerSecond ?? 500, always: observed.always ?? false },
    maxViewers: options.maxViewers ?? 20,
    panels: options.panels ?? [],
  };
}

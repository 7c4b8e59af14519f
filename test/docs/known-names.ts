import { join } from 'node:path';
import ts from 'typescript';
import { loadBalancingCheck } from '../../libs/grpc-lb/src/core/options/load-balancing.js';
import { type Fault, GrpcLbOptionsError } from '../../libs/grpc-lb/src/core/errors.js';
import type { Check } from '../../libs/grpc-lb/src/core/options/validation.js';
import { effectiveConsoleOptions } from '../../libs/grpc-lb/src/console/options.js';
import { dnsSourceFactory } from '../../libs/grpc-lb/src/discovery/index.js';
import { consulSourceFactory } from '../../libs/grpc-lb/src/discovery/consul/index.js';
import { fileSourceFactory } from '../../libs/grpc-lb/src/discovery/file/index.js';
import { kubernetesSourceFactory } from '../../libs/grpc-lb/src/discovery/kubernetes/index.js';
import { edsSourceFactory } from '../../libs/grpc-lb/src/discovery/xds/index.js';
import { checkClientOptions } from '../../libs/grpc-lb/src/nest/client-check.js';
import { checkResumable } from '../../libs/grpc-lb/src/nest/streams/resumable-check.js';
import { GrpcLbOpenTelemetryModule } from '../../libs/grpc-lb/src/telemetry/opentelemetry/index.js';
import { assertModuleOptions } from '../../libs/grpc-lb/src/nest/module-check.js';
import { compilerOptions } from './compile-code.js';
import { ROOT } from './pages.js';

const NO_OPTION = 'no option has this name';

/** The options known to the checks: the error for an unknown option lists all options of its place. */
function told(faults: readonly Fault[]): string[] {
  const said = faults.find(({ path }) => path.endsWith(NO_OPTION))?.message ?? '';
  const names = /the options here are (.*)$/.exec(said)?.[1] ?? '';
  return names === 'none' ? [] : names.split(', ');
}

function checked(check: Check, options: (wrong: object) => unknown): string[] {
  const faults: Fault[] = [];
  check('options', options({ [NO_OPTION]: true }), faults);
  return told(faults);
}

function thrown(give: (wrong: object) => unknown): string[] {
  try {
    give({ [NO_OPTION]: true });
  } catch (error) {
    if (error instanceof GrpcLbOptionsError) return told(error.faults);
    throw error;
  }
  return [];
}

const ofClient: Check = (_path, value, faults) => checkClientOptions(value as never, faults);
const checkedResumable = (wrong: object): string[] => {
  const faults: Fault[] = [];
  checkResumable([wrong], new Map(), faults);
  return told(faults);
};
const policy = (name: string) =>
  checked(loadBalancingCheck, (wrong) => ({ policy: { name, ...wrong } })).filter((each) => each !== 'name');

/** The options that pass the checks, by the names of their tables in the documents. */
export const CHECKED: Readonly<Record<string, readonly string[]>> = {
  GrpcLbModuleOptions: thrown((wrong) => assertModuleOptions(wrong)),
  GrpcLbClientOverrides: thrown((wrong) => assertModuleOptions({ overrides: { ORDERS: wrong } })),
  GrpcLbClientOptions: checked(ofClient, (wrong) => wrong),
  ResumableMethod: checkedResumable({ [NO_OPTION]: true }),
  ReplayOptions: checkedResumable({ replay: { [NO_OPTION]: true } }),
  keepalive: checked(ofClient, (wrong) => ({ keepalive: wrong })),
  LoadBalancingOptions: checked(loadBalancingCheck, (wrong) => wrong),
  ConnectionPoolOptions: checked(loadBalancingCheck, (wrong) => ({ pool: wrong })),
  LeastRequestConfig: policy('least_request'),
  WeightedRoundRobinConfig: policy('weighted_round_robin'),
  RingHashConfig: policy('ring_hash'),
  PeakEwmaConfig: policy('peak_ewma'),
  HotColdConfig: policy('hot_cold'),
  PickFirstConfig: policy('pick_first'),
  DnsSourceOptions: thrown((wrong) => dnsSourceFactory(wrong)),
  ConsulSourceOptions: thrown((wrong) => consulSourceFactory(wrong)),
  FileSourceOptions: thrown((wrong) => fileSourceFactory(wrong)),
  KubernetesSourceOptions: thrown((wrong) => kubernetesSourceFactory(wrong)),
  GrpcLbMetricsOptions: thrown((wrong) => GrpcLbOpenTelemetryModule.forRoot({ metrics: wrong })),
  GrpcLbConsoleOptions: thrown((wrong) => effectiveConsoleOptions(wrong)),
  ConsoleCallsOptions: thrown((wrong) => effectiveConsoleOptions({ calls: wrong })),
  ConsolePanel: thrown((wrong) => effectiveConsoleOptions({ panels: [wrong as never] })),
  EdsSourceOptions: thrown((wrong) => edsSourceFactory(wrong)),
};

/** The types that the package exports, as the compiler sees them. */
export class PublicTypes {
  readonly #checker: ts.TypeChecker;
  readonly #exports = new Map<string, ts.Type>();

  constructor() {
    const entries = [
      'index.ts',
      'grpc/index.ts',
      'discovery/xds/index.ts',
      'discovery/kubernetes/index.ts',
      'discovery/consul/index.ts',
      'discovery/file/index.ts',
      'telemetry/opentelemetry/index.ts',
      'telemetry/prometheus/index.ts',
      'doctor/index.ts',
      'console/index.ts',
      'config/index.ts',
      'nest/clients-module/index.ts',
      'server/index.ts',
      'streams/index.ts',
      'terminus/index.ts',
      'testing/index.ts',
    ].map((name) => join(ROOT, 'libs/grpc-lb/src', name));
    const program = ts.createProgram(entries, compilerOptions());
    this.#checker = program.getTypeChecker();
    for (const entry of entries) {
      const module = this.#checker.getSymbolAtLocation(program.getSourceFile(entry)!)!;
      for (const symbol of this.#checker.getExportsOfModule(module)) {
        const target = symbol.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol;
        this.#exports.set(symbol.name, this.#checker.getDeclaredTypeOfSymbol(target));
      }
    }
  }

  /** The names of all that a type may have, over all members of a union. */
  fields(name: string): string[] {
    return [...new Set(this.#members(name).flatMap((member) => member.getProperties().map((field) => field.name)))];
  }

  /**
   * Options whose texts, which editors show, say neither a default nor that they are required: `Type.option`. Those of a
   * type are its optional properties, without those that it takes over from other packages.
   */
  optionsWithoutDefault(): string[] {
    return [...this.#exports].flatMap(([name, type]) =>
      /(?:Options|Config|Overrides|Item|Panel)$/.test(name) && type.isClassOrInterface()
        ? type
            .getProperties()
            .filter((option) => option.flags & ts.SymbolFlags.Optional && !saysDefault(option, this.#checker))
            .map((option) => `${name}.${option.name}`)
        : [],
    );
  }

  /** A union told apart by its `type`: the fields of each. */
  variants(name: string): Map<string, string[]> {
    return new Map(
      this.#members(name).map((member) => {
        const type = this.#checker.getTypeOfSymbol(member.getProperty('type')!) as ts.StringLiteralType;
        return [type.value, member.getProperties().map((field) => field.name)];
      }),
    );
  }

  #members(name: string): readonly ts.Type[] {
    const type = this.#exports.get(name);
    if (!type) throw new Error(`${name} is not exported`);
    return type.isUnion() ? type.types : [type];
  }
}

function saysDefault(option: ts.Symbol, checker: ts.TypeChecker): boolean {
  if (option.declarations!.every((each) => each.getSourceFile().fileName.includes('/node_modules/'))) return true;
  const text = ts.displayPartsToString(option.getDocumentationComment(checker));
  return option.getJsDocTags().some(({ name }) => name === 'default') || /required/i.test(text);
}

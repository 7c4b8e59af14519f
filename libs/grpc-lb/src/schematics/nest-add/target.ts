import { Refusal } from './refusal.js';

/**
 * Schemes that an application registers: by which function of which sub-path, and with which package. As in
 * discovery/registry.ts, which a schematic must not load.
 */
const ON_DEMAND: Readonly<Record<string, readonly [register: string, subPath: string, peer: string]>> = {
  consul: ['registerConsul', 'consul', 'consul'],
  eds: ['registerXds', 'xds', '@grpc/grpc-js-xds'],
  file: ['registerFile', 'file', 'yaml'],
  kubernetes: ['registerKubernetes', 'kubernetes', '@kubernetes/client-node'],
  xds: ['registerXds', 'xds', '@grpc/grpc-js-xds'],
};

const SCHEMES: readonly string[] = ['dns', 'dns+srv', 'static', ...Object.keys(ON_DEMAND)];
const ADDRESS = /^(?:\[[\da-f:.]+\]|[\w.-]+):(\d{1,5})$/i;

/**
 * The rest of a target is checked when the application starts.
 *
 * @throws {@link Refusal} if the application would not start with it.
 */
export function checkTarget(target: string): void {
  const port = Number(ADDRESS.exec(target)?.[1] ?? 0);
  if ((port >= 1 && port <= 65_535) || (isPrintable(target) && SCHEMES.includes(schemeOf(target) ?? ''))) return;
  throw new Refusal(
    `--target "${target.slice(0, 200)}" must be host:port, as in orders:50051, or begin with one of ${SCHEMES.join(', ')}, as in dns:///orders:50051 or static:///10.0.0.1:50051,10.0.0.2:50051. A scheme of your own goes into the client afterwards.`,
  );
}

/** What the application has to do for this target, if anything. */
export function registrationFor(target: string): string | undefined {
  const scheme = schemeOf(target) ?? '';
  if (!Object.hasOwn(ON_DEMAND, scheme)) return undefined;
  const [register, subPath, peer] = ON_DEMAND[scheme]!;
  return `Before this application starts: npm install ${peer}, and call ${register}() of nestjs-grpc-lb/${subPath} at the top of main.ts.`;
}

/** With what follows it: `dns:` alone has no meaning. */
const schemeOf = (target: string): string | undefined => /^([a-z+]+):\/\S/.exec(target)?.[1];

const isPrintable = (target: string): boolean => /^\S+$/.test(target);

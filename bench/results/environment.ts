import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

/** What figures depend on beside the code. */
export interface Environment {
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
}

const PACKAGES = ['@grpc/grpc-js', '@nestjs/core', '@nestjs/microservices'];

export function environment(): Environment {
  const cores = cpus();
  const model = cores[0]?.model.replaceAll(/\((?:R|TM)\)/g, '').trim();
  return {
    machine: `${cores.length} cores${model ? ` of ${model}` : ''}, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${/^\d+\.\d+/.exec(release())?.[0] ?? release()}`,
    versions: {
      Node: process.versions.node,
      ...Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
      ...programs(),
    },
  };
}

function versionOf(name: string): string {
  return (JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')) as { version: string }).version;
}

/** The proxies that are installed. */
function programs(): Record<string, string> {
  const asked = Object.entries({ haproxy: ['haproxy', '-v'], nginx: ['sh', '-c', 'nginx -v 2>&1'] });
  return Object.fromEntries(
    asked.flatMap(([name, [command, ...args]]) => {
      try {
        const said = execFileSync(command!, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
        const version = /\d+\.\d+[.\d]*/.exec(said)?.[0];
        return version === undefined ? [] : [[name, version]];
      } catch {
        return [];
      }
    }),
  );
}

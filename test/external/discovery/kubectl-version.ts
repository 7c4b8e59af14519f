import { execFileSync } from 'node:child_process';

/** The version of the kubectl on this machine; undefined if there is none. */
export const KUBECTL = versionOfKubectl();

function versionOfKubectl(): string | undefined {
  try {
    return /v[\d.]+\S*/.exec(execFileSync('kubectl', ['version', '--client'], { encoding: 'utf8' }))?.[0];
  } catch {
    return undefined;
  }
}

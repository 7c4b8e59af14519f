import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where `install-go-peers.sh` has put grpc-go. */
export const GO = process.env['GO_PEERS'];
export const HAS_GO = GO !== undefined && existsSync(join(GO, 'bin/interop_server'));

const built = new Map<string, string>();

/** A program of `go/`, built once, with the compiler and the packages of `install-go-peers.sh`. */
export function builtGo(name: string): string {
  let program = built.get(name);
  if (program === undefined) {
    program = join(GO!, 'bin', name);
    const source = fileURLToPath(new URL(`go/${name}.go`, import.meta.url));
    const build = '. "$GO_PEERS/env.sh" && go build -o "$1" "$2"';
    execFileSync('bash', ['-c', build, 'bash', program, source], { stdio: ['ignore', 'ignore', 'inherit'] });
    built.set(name, program);
  }
  return program;
}

import { readFileSync } from 'node:fs';
import { GrpcLbOptionsError } from '../../core/errors.js';
import { runDoctor } from '../doctor.js';
import type { DoctorReport } from '../report.js';
import { type Command, parseCommand, UsageError } from './arguments.js';
import { HELP } from './help.js';
import { render } from './render.js';

/** Where the command writes. */
export interface Output {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** 0: healthy. 1: findings. 2: the command line is wrong. */
export type ExitStatus = 0 | 1 | 2;

/** Runs a command line without the name of the program. */
export async function runCommand(argv: readonly string[], { out, err }: Output): Promise<ExitStatus> {
  try {
    const command = parseCommand(argv);
    if (command.kind !== 'doctor') {
      out(command.kind === 'help' ? HELP : `${version()}\n`);
      return 0;
    }
    const report = await runDoctor(command.options);
    out(command.json ? `${JSON.stringify(report, null, 2)}\n` : render(report));
    return fails(report, command) ? 1 : 0;
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof GrpcLbOptionsError)) throw error;
    err(`nestjs-grpc-lb: ${error.message}\nnestjs-grpc-lb --help shows the options.\n`);
    return 2;
  }
}

function fails({ findings }: DoctorReport, { failOn }: Extract<Command, { kind: 'doctor' }>): boolean {
  return findings.some(({ severity }) => severity === 'error' || severity === failOn);
}

function version(): string {
  const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

import { plural } from '../../core/plural.js';
import type { DoctorCheck, DoctorFinding, DoctorReport } from '../report.js';

/** A report for people. */
export function render(report: DoctorReport): string {
  const { target, endpoints, examined, durationMs, findings, checks } = report;
  const head = `${target}: ${examined.length} of ${endpoints} endpoints examined in ${durationMs} ms`;
  return `${[head, ...findings.map(finding), checkTable(checks), verdict(findings)].join('\n\n')}\n`;
}

function finding({ severity, code, certainty, evidence, remedy }: DoctorFinding): string {
  const doubt = certainty === 'certain' ? '' : ', likely';
  return [`${severity}: ${code}${doubt}`, ...evidence.map((line) => `  ${line}`), `  Remedy: ${remedy}.`].join('\n');
}

function checkTable(checks: readonly DoctorCheck[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks
    .map(({ name, status, detail }) => `${status.padEnd('not-checked'.length)}  ${name.padEnd(width)}  ${detail}`)
    .join('\n');
}

function verdict(findings: readonly DoctorFinding[]): string {
  const count = (severity: string): number => findings.filter((each) => each.severity === severity).length;
  const [errors, warnings, notes] = [count('error'), count('warning'), count('note')];
  const also = notes === 0 ? '' : `, ${plural(notes, 'note')}`;
  if (errors + warnings === 0) return `Healthy${also}.`;
  return `${plural(errors, 'error')}, ${plural(warnings, 'warning')}${also}.`;
}

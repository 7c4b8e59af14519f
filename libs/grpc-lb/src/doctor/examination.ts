import { printable } from '../core/printable.js';
import { DIAGNOSES, type DoctorCode, type DoctorSeverity } from './codes.js';
import {
  DOCTOR_CHECKS,
  type DoctorCertainty,
  type DoctorCheck,
  type DoctorCheckName,
  type DoctorFinding,
} from './report.js';

const MAX_EVIDENCE = 5;
const MAX_ADDRESSES = 20;
const CODES = Object.keys(DIAGNOSES);
const ORDER: readonly DoctorSeverity[] = ['error', 'warning', 'note'];

/** What a check adds to the finding of a code. */
export interface Sign {
  readonly evidence: string;
  /** The endpoint concerned. */
  readonly address?: string;
  /** Default `certain`. */
  readonly certainty?: DoctorCertainty;
  /** In place of that of the code, where the context makes it worse. */
  readonly severity?: DoctorSeverity;
}

interface Found {
  certainty: DoctorCertainty;
  severity: DoctorSeverity;
  readonly evidence: Set<string>;
  readonly addresses: Set<string>;
}

/** Collects what the checks find. Its size is bounded, whatever peers send. */
export class Examination {
  readonly #found = new Map<DoctorCode, Found>();
  readonly #checks = new Map<DoctorCheckName, DoctorCheck>();

  /** Adds to the finding of a code, which counts for this check. */
  find(check: DoctorCheckName, code: DoctorCode, { evidence, address, certainty = 'certain', severity }: Sign): void {
    let found = this.#found.get(code);
    if (!found) {
      found = { certainty, severity: severity ?? DIAGNOSES[code].severity, evidence: new Set(), addresses: new Set() };
      this.#found.set(code, found);
    }
    if (certainty === 'certain') found.certainty = certainty;
    if (severity && ORDER.indexOf(severity) < ORDER.indexOf(found.severity)) found.severity = severity;
    if (found.evidence.size < MAX_EVIDENCE) found.evidence.add(printable(evidence));
    if (address !== undefined && found.addresses.size < MAX_ADDRESSES) found.addresses.add(printable(address));
    this.#checks.set(check, { name: check, status: 'findings', detail: printable(evidence) });
  }

  /** Records that a check saw nothing wrong; a finding of the same check wins. */
  pass(name: DoctorCheckName, detail: string): void {
    if (this.#checks.get(name)?.status !== 'findings')
      this.#checks.set(name, { name, status: 'ok', detail: printable(detail) });
  }

  /** Records why a check did not run; any other outcome wins. */
  skip(name: DoctorCheckName, why: string): void {
    if (!this.#checks.has(name)) this.#checks.set(name, { name, status: 'not-checked', detail: printable(why) });
  }

  has(code: DoctorCode): boolean {
    return this.#found.has(code);
  }

  get findings(): DoctorFinding[] {
    const list = [...this.#found].map(([code, { evidence, addresses, ...found }]) => ({
      code,
      ...found,
      evidence: [...evidence],
      remedy: DIAGNOSES[code].remedy,
      addresses: [...addresses],
    }));
    return list.toSorted(
      (a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity) || CODES.indexOf(a.code) - CODES.indexOf(b.code),
    );
  }

  get checks(): DoctorCheck[] {
    return DOCTOR_CHECKS.flatMap((name) => this.#checks.get(name) ?? []);
  }
}

/**
 * The command `nestjs-grpc-lb doctor` as a function: examines a target and reports what is wrong with it.
 *
 * @example
 * ```ts
 * const { findings } = await runDoctor({ target: 'dns:///orders:50051' });
 * ```
 *
 * @packageDocumentation
 */

export type { DoctorCode, DoctorSeverity } from './codes.js';
export { runDoctor } from './doctor.js';
export type { DoctorClientOptions, DoctorOptions, DoctorTlsOptions } from './options.js';
export type { DoctorCertainty, DoctorCheck, DoctorCheckName, DoctorFinding, DoctorReport } from './report.js';

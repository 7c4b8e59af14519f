export type { DoctorCode, DoctorSeverity } from './codes.js';
export { runDoctor } from './doctor.js';
export type { DoctorClientOptions, DoctorOptions, DoctorTlsOptions } from './options.js';
export type { DoctorCertainty, DoctorCheck, DoctorCheckName, DoctorFinding, DoctorReport } from './report.js';

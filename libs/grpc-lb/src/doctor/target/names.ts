import { readFileSync } from 'node:fs';
import { authorityOf, hostOf } from '../../grpc/channel/default-authority.js';
import { NO_NAME } from '../../grpc/channel/tls-name.js';
import { splitHostPort } from '../../grpc/experimental.js';
import type { ClientTlsView } from '../checks/client-certificates.js';
import type { Examination } from '../examination.js';
import type { EffectiveDoctorOptions } from '../options.js';
import type { ClientView, Site } from '../site.js';

const ROOTS = 'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH';

/** The names by which a client calls the endpoints of a target and verifies them, and the roots that it trusts. */
export function namesOf(
  exam: Examination,
  { target, env }: EffectiveDoctorOptions,
  { channelOptions }: ClientView,
  tls: ClientTlsView | undefined,
): Pick<Site, 'authority' | 'tls'> {
  const authority = channelOptions['grpc.default_authority'] ?? authorityOf(target);
  if (!tls) return { authority, tls: undefined };
  const { serverName, files, spiffeIds } = tls;
  const host = hostOf(target);
  const named = host === undefined ? NO_NAME : (splitHostPort(host)?.host ?? host);
  const name = serverName ?? channelOptions['grpc.ssl_target_name_override'] ?? named;
  const ca = files.ca ?? defaultRoots(exam, env[ROOTS]);
  return { authority, tls: { files: { ...files, ...(ca !== undefined && { ca }) }, name, spiffeIds } };
}

/** As grpc-js, which throws if the file cannot be read. */
function defaultRoots(exam: Examination, path = ''): Buffer | undefined {
  if (path === '') return undefined;
  try {
    return readFileSync(path);
  } catch (error) {
    exam.find('tls', 'invalid-environment', { evidence: `${ROOTS} cannot be read: ${(error as Error).message}` });
    return undefined;
  }
}

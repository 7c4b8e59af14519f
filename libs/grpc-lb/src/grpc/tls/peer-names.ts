/** Node's error of a peer whose certificate is for other names. */
const OTHER_NAMES = 'ERR_TLS_CERT_ALTNAME_INVALID';

/**
 * Adds the names of the peer's certificate to Node's error for an IP address, which lists only the IP addresses among
 * them, so that a certificate for host names looks like one for nothing. Other errors stay.
 */
export function withPeerNames(error: unknown): unknown {
  const { code, cert } = (error ?? {}) as { code?: unknown; cert?: { readonly subjectaltname?: string } };
  if (code === OTHER_NAMES && error instanceof Error)
    error.message = error.message.replace(
      /( is not in the cert's list:).*$/s,
      `$1 ${cert?.subjectaltname ?? 'it has none'}`,
    );
  return error;
}

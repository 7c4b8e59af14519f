import { X509Certificate } from 'node:crypto';
import {
  Metadata,
  type ServerInterceptingCallInterface,
  ServerInterceptingCall,
  type ServerInterceptor,
  status,
} from '@grpc/grpc-js';
import { spiffeFault } from '../../tls/spiffe.js';

/** Told of each connection whose calls are refused. */
export type Refused = (peer: string, fault: string) => void;

/**
 * Ends calls of clients whose certificate names none of the allowed ids with PERMISSION_DENIED. grpc-js shows the
 * certificate of a client only with a call, after the handshake has verified its CA.
 */
export function spiffeInterceptor(allowed: readonly string[], refused: Refused): ServerInterceptor {
  const judged = new WeakMap<object, { readonly fault: string | undefined }>();
  return (_method, call) => {
    const connection = connectionOf(call);
    let verdict = connection && judged.get(connection);
    if (!verdict) {
      verdict = { fault: faultOf(call, allowed) };
      if (connection) judged.set(connection, verdict);
      if (verdict.fault !== undefined) refused(call.getPeer(), verdict.fault);
    }
    if (verdict.fault === undefined) return call as ServerInterceptingCall;
    const details = `the certificate of the client ${verdict.fault}`;
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: () =>
            call.sendStatus({ code: status.PERMISSION_DENIED, details, metadata: new Metadata() }),
          onReceiveMessage: () => {},
          onReceiveHalfClose: () => {},
        }),
    });
  };
}

function faultOf(call: ServerInterceptingCallInterface, allowed: readonly string[]): string | undefined {
  const peer = call.getAuthContext().sslPeerCertificate;
  return peer?.raw ? spiffeFault(allowed, new X509Certificate(peer.raw)) : 'is missing';
}

/** The HTTP/2 session, which grpc-js does not show: without it each call is judged anew. */
function connectionOf(call: object): object | undefined {
  return (call as { readonly stream?: { readonly session?: object } }).stream?.session;
}

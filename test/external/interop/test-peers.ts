import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { freePort } from 'nestjs-grpc-lb/testing';
import { type Certificate, makeCertificate } from '../../support/peers/certificates.js';
import { Child } from '../../../apps/demo-client/src/runner/child-process.js';
import { builtGo, GO, HAS_GO } from './go-programs.js';
import { PythonProcess } from './python-process.js';
import { InteropServer } from './test-service.js';
import { accepting } from '../../support/run/accepting.js';

/** grpc-go's own interoperability server. */
const GO_SERVER = GO && join(GO, 'bin/interop_server');

/** How to start a peer. */
export interface PeerOptions {
  /** With TLS, if given. */
  readonly certificate?: Certificate | undefined;
  /** How many concurrent streams a connection may have. */
  readonly maxStreams?: number;
}

export interface RunningPeer {
  readonly addresses: readonly string[];
  stop(): unknown;
}

/** A server with `grpc.testing.TestService`, and what it can do. */
export interface Peer {
  readonly name: string;
  readonly available: boolean;
  /** Whether it takes and sends compressed messages. */
  readonly gzip: boolean;
  /** Whether it checks the `expect_compressed` of requests. */
  readonly checksRequests: boolean;
  /** Whether it obeys the `response_compressed` of requests: by message, or for all messages of a call at once. */
  readonly compressesResponses: 'by message' | 'by call' | false;
  start(options: PeerOptions): Promise<RunningPeer>;
}

export const PEERS: readonly Peer[] = [
  {
    // Of the official servers it has the most test cases, but it is built without gzip.
    name: "grpc-go's interop_server",
    available: HAS_GO,
    gzip: false,
    checksRequests: false,
    compressesResponses: false,
    start: ({ certificate }) => startGo([GO_SERVER!, ...(certificate ? ['--use_tls'] : [])], certificate),
  },
  {
    name: 'grpc-go with gzip',
    available: HAS_GO,
    gzip: true,
    checksRequests: true,
    compressesResponses: 'by call',
    start: ({ certificate, maxStreams = 0 }) =>
      startGo([builtGo('test_server'), `--max_streams=${maxStreams}`], certificate),
  },
  {
    name: 'C-core',
    available: true,
    gzip: true,
    // Python does not show whether a request was compressed.
    checksRequests: false,
    compressesResponses: 'by message',
    start: startPython,
  },
  {
    name: 'grpc-js, two servers',
    available: true,
    gzip: true,
    checksRequests: false,
    compressesResponses: false,
    start: startJs,
  },
];

export const certificateOfPeers = (): Certificate => makeCertificate(['127.0.0.1']);

/** Puts a certificate into files for as long as `use` needs them. */
async function withFiles<T>(
  certificate: Certificate | undefined,
  use: (files: { readonly cert: string; readonly key: string } | undefined) => Promise<T>,
): Promise<T> {
  if (!certificate) return use(undefined);
  const directory = mkdtempSync(join(tmpdir(), 'peer-'));
  const files = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
  try {
    writeFileSync(files.cert, certificate.cert);
    writeFileSync(files.key, certificate.key);
    return await use(files);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function startGo(command: readonly string[], certificate: Certificate | undefined): Promise<RunningPeer> {
  return withFiles(certificate, async (files) => {
    const port = await freePort();
    const tls = files ? [`--tls_cert_file=${files.cert}`, `--tls_key_file=${files.key}`] : [];
    const server = new Child([...command, `--port=${port}`, ...tls], { quiet: true });
    await server.unlessEnded(accepting(port));
    return { addresses: [`127.0.0.1:${port}`], stop: () => server.kill() };
  });
}

function startPython({ certificate, maxStreams }: PeerOptions): Promise<RunningPeer> {
  return withFiles(certificate, async (files) => {
    const tls = files ? ['--tls', files.cert, files.key] : [];
    const limit = maxStreams === undefined ? [] : [`grpc.max_concurrent_streams=${maxStreams}`];
    const server = new PythonProcess('test_server.py', [...tls, ...limit]);
    const { port } = await server.next<{ port: number }>();
    return { addresses: [`127.0.0.1:${port}`], stop: () => server.kill() };
  });
}

async function startJs({ certificate, maxStreams }: PeerOptions): Promise<RunningPeer> {
  const credentials = certificate
    ? grpc.ServerCredentials.createSsl(null, [{ cert_chain: certificate.cert, private_key: certificate.key }])
    : grpc.ServerCredentials.createInsecure();
  const options = maxStreams === undefined ? {} : { 'grpc.max_concurrent_streams': maxStreams };
  const servers = await Promise.all([1, 2].map(() => new InteropServer(options).start(credentials)));
  return { addresses: servers.map(({ address }) => address), stop: () => servers.forEach((each) => each.stop()) };
}

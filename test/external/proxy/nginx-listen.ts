import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { freePort } from 'nestjs-grpc-lb/testing';
import { type Certificate } from '../../support/peers/certificates.js';
import { Child } from '../../../apps/demo-client/src/runner/child-process.js';
import { accepting } from '../../support/run/accepting.js';

export interface NginxOptions {
  /** Without it, `listen` has no `http2`. */
  readonly http2: boolean;
  /** With it, `listen` has `ssl`. */
  readonly certificate?: Certificate;
  /** Where `grpc_pass` leads. */
  readonly backend: string;
}

/** nginx as one writes it, or as one forgets half of it. It ends with the test. Returns its port. */
export async function startNginx({ http2, certificate, backend }: NginxOptions): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'grpc-lb-nginx-'));
  const port = await freePort();
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const tls = certificate ? `ssl_certificate ${directory}/cert.pem; ssl_certificate_key ${directory}/key.pem;` : '';
  if (certificate) {
    await writeFile(join(directory, 'cert.pem'), certificate.cert);
    await writeFile(join(directory, 'key.pem'), certificate.key);
  }
  const config = `
daemon off;
worker_processes 1;
pid ${directory}/nginx.pid;
error_log stderr emerg;
events { worker_connections 1024; }
http {
  access_log off;
  ${paths.map((name) => `${name}_temp_path ${directory}/${name};`).join('\n  ')}
  server {
    listen 127.0.0.1:${port} ${certificate ? 'ssl' : ''} ${http2 ? 'http2' : ''};
    ${tls}
    location / { grpc_pass grpc://${backend}; }
  }
}
`;
  await writeFile(join(directory, 'nginx.conf'), config);
  const process = new Child(['nginx', '-c', join(directory, 'nginx.conf')], { quiet: true });
  onTestFinished(async () => {
    // SIGKILL would leave its workers.
    process.signal('SIGTERM');
    await process.ended;
    await rm(directory, { recursive: true });
  });
  await process.unlessEnded(accepting(port));
  return port;
}

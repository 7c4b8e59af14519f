import { TerminusModule } from '@nestjs/terminus';
import { GrpcLbModule } from 'nestjs-grpc-lb';
import { GrpcLbHealthIndicator, GrpcLbTerminusModule } from 'nestjs-grpc-lb/terminus';
import { firstValueFrom } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { TestAuthority } from 'nestjs-grpc-lb/testing';
import { inDays } from '../../support/peers/certificates.js';
import { startBackend } from '../../support/echo/backends.js';
import { staticTarget } from '../../support/echo/cluster.js';
import { echoClient, startApp } from '../../support/nest/app.js';
import { filesOf, secretOf, volumeOfTest } from '../../support/peers/mounted-secret.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { eventually } from '../../support/time/patience.js';

expectNoLeaks();

describe('Terminus', () => {
  test('is degraded from a fifth of the lifetime on, until the certificate is renewed', async () => {
    const ca = new TestAuthority();
    const server = await startBackend({ tls: { ...ca.issue(), clientCa: ca.cert } });
    const names = ['client'];
    const volume = volumeOfTest(ca.cert, ca.issue({ names, from: inDays(-1), until: inDays(0.2) }));
    const Echo = echoClient(staticTarget([server]), { tls: filesOf(volume) });
    const app = await startApp({
      imports: [
        TerminusModule.forRoot({ logger: false }),
        GrpcLbTerminusModule,
        GrpcLbModule.forRoot({ logging: false }),
        GrpcLbModule.forFeature([Echo]),
      ],
    });
    await firstValueFrom(app.get(Echo).say({}));
    const health = () => app.get(GrpcLbHealthIndicator).isHealthy('echo', { client: Echo }).echo;
    expect(health()).toMatchObject({
      status: 'degraded',
      message: expect.stringMatching(/; its certificate expires at 20/),
      certificates: { state: 'ok', expiresInSeconds: expect.any(Number) },
    });
    volume.replace(secretOf(ca.cert, ca.issue({ names })));
    await eventually(() => health().status === 'up');
  });
});

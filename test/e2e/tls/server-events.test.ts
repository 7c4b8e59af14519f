import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Logger } from '@nestjs/common';
import type { GrpcServerEvent } from 'nestjs-grpc-lb/server';
import { TestAuthority } from 'nestjs-grpc-lb/testing';
import { inDays } from '../../support/peers/certificates.js';
import { effectiveServerOptions } from '../../../libs/grpc-lb/src/server/options.js';
import { filesOf, secretOf, volumeOfTest } from '../../support/peers/mounted-secret.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { startEcho } from '../../support/server/app.js';
import { eventually } from '../../support/time/patience.js';

expectNoLeaks();

describe('events of a server about its certificates', () => {
  test('tell of a rotation, of what cannot be used, and of the end', async () => {
    mute();
    const ca = new TestAuthority();
    const pair = ca.issue();
    const volume = volumeOfTest(ca.cert, pair);
    const told: GrpcServerEvent[] = [];
    const { server, close } = await startEcho({ tls: filesOf(volume) });
    let completed = false;
    server.events$.subscribe({ next: (event) => void told.push(event), complete: () => (completed = true) });

    const next = ca.issue();
    volume.replace(secretOf(ca.cert, next));
    await eventually(() => told.length === 1);
    const { fingerprint, expires } = server.tls()!;
    expect(told[0]).toEqual({ type: 'certificates_rotated', fingerprint, expires, time: expect.any(Number) });

    volume.replace(secretOf(ca.cert, { ...next, key: pair.key }));
    await eventually(() => told.length === 2);
    expect(told[1]).toMatchObject({
      type: 'certificates_rejected',
      reason: expect.stringContaining('does not belong to the certificate'),
      uses: 'last',
    });
    expect(JSON.stringify(told)).not.toContain(pair.key.split('\n')[1]);

    await close();
    await eventually(() => completed);
  });

  test('warn of a certificate that is about to expire when the server starts', async () => {
    mute();
    const ca = new TestAuthority();
    const volume = volumeOfTest(ca.cert, ca.issue({ until: inDays(1) }));
    const told: GrpcServerEvent[] = [];
    const { server } = await startEcho({
      tls: { ...filesOf(volume), expiryWarning: 2 * 86_400_000 },
      onEvent: (event) => void told.push(event),
    });
    expect(told).toEqual([
      {
        type: 'certificate_expiring',
        reason: expect.stringMatching(/^the certificate of \S+ expires in 2[34] hours/),
        expires: server.tls()!.expires,
        time: expect.any(Number),
      },
    ]);
  });

  test('say that a server cannot listen, since its provider fails', async () => {
    mute();
    const told: GrpcServerEvent[] = [];
    const provider = () => Promise.reject(new Error('the vault is sealed'));
    await expect(startEcho({ tls: { provider }, onEvent: (event) => void told.push(event) })).rejects.toThrow(
      'the vault is sealed',
    );
    expect(told).toMatchObject([{ type: 'certificates_rejected', uses: 'none' }]);
  });

  test('reach a listener that throws, as a warning of the process', async () => {
    mute();
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    onTestFinished(() => warned.mockRestore());
    const ca = new TestAuthority();
    const volume = volumeOfTest(ca.cert, ca.issue());
    await startEcho({
      tls: filesOf(volume),
      onEvent: () => {
        throw new Error('the pager is off');
      },
    });
    volume.replace(secretOf(ca.cert, ca.issue()));
    await eventually(() => warned.mock.calls.length > 0);
    expect(warned).toHaveBeenCalledWith(
      'onEvent of the server failed at certificates_rotated: the pager is off',
      'GrpcLbWarning',
    );
  });
});

test('a listener that is not a function is refused when the server is configured', () => {
  expect(() => effectiveServerOptions('grpcServer', { onEvent: 'x' as never })).toThrow(
    'onEvent is "x"; use a function',
  );
});

function mute(): void {
  const spies = (['log', 'warn'] as const).map((level) =>
    vi.spyOn(Logger.prototype, level).mockImplementation(() => {}),
  );
  onTestFinished(() => spies.forEach((each) => each.mockRestore()));
}

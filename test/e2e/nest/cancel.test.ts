import { Test } from '@nestjs/testing';
import { GrpcLbModule, GrpcLbRegistry } from 'nestjs-grpc-lb';
import { NEVER, type Observable } from 'rxjs';
import { expect, test } from 'vitest';
import { startBackend } from '../../support/echo/backends.js';
import { ECHO_PROTO, type Line } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

test('calls that are cancelled in the turn of their start leave no stream open and nothing in flight', async () => {
  const server = await startBackend();
  const options = { url: `static:///${server.address}`, package: 'echo.v1', protoPath: ECHO_PROTO };
  const imports = [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([{ name: 'ECHO', options }])];
  const app = await Test.createTestingModule({ imports }).compile();
  await app.init();
  const registry = app.get(GrpcLbRegistry);
  const echo = registry
    .get('ECHO')
    .getService<{ talk(lines: Observable<never>): Observable<Line>; repeat(line: object): Observable<Line> }>('Echo');
  const roundTrip = (): Promise<unknown> =>
    new Promise((resolve) => echo.repeat({ text: 'round', times: 1 }).subscribe({ complete: () => resolve(true) }));
  // The connection is ready, so the calls are picked at once.
  await roundTrip();
  for (let i = 0; i < 10; i++) {
    echo.talk(NEVER).subscribe().unsubscribe();
    echo.repeat({ text: 'for ever', times: 0 }).subscribe().unsubscribe();
  }
  // What they sent has arrived.
  await roundTrip();
  await expect.poll(() => registry.snapshot('ECHO').inFlight).toBe(0);
  await expect.poll(() => server.inFlight).toBe(0);
  await app.close();
});

import { status as Status } from '@grpc/grpc-js';
import { type GrpcLbCallOptions, type GrpcLbServiceError, iterate, promises } from 'nestjs-grpc-lb';
import { from, lastValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { SilentDiscovery } from '../../support/echo/balanced-client.js';
import type { EchoStub } from '../../support/nest/app.js';
import { failure, ScriptedBackend } from '../../support/nest/backend.js';
import { connect, WAYS } from '../../support/nest/both-ways.js';
import { RawPeer } from '../../support/peers/raw-peer.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

type Make = (echo: EchoStub, options: GrpcLbCallOptions) => Promise<unknown>;

const KINDS: Record<string, readonly [method: string, make: Make]> = {
  'a unary call': ['Say', (echo, options) => lastValueFrom(echo.say({}, options))],
  'a Promise': ['Say', (echo, options) => promises(echo).say({}, options)],
  'a stream of responses': ['Repeat', (echo, options) => lastValueFrom(echo.repeat({}, options))],
  'a loop': ['Repeat', (echo, options) => iterate(echo.repeat({}, options)).next()],
  'a stream of requests': ['Join', (echo, options) => lastValueFrom(echo.join(from([{}]), options))],
  'both streams': ['Talk', (echo, options) => lastValueFrom(echo.talk(from([{}]), options))],
};

async function failed(call: Promise<unknown>): Promise<GrpcLbServiceError> {
  return call.then(
    () => expect.unreachable(),
    (error: unknown) => error as GrpcLbServiceError,
  );
}

describe.each(WAYS)('the error of a call %s', (_, more) => {
  describe.each(Object.entries(KINDS))('%s', (_kind, [method, make]) => {
    const names = { client: 'EchoClient', method: `/echo.v1.Echo/${method}` };

    it('names the client, the method and the backend, and leaves the details of the backend as they are', async () => {
      const fails = (call: { emit(event: 'error', error: object): void }): void =>
        call.emit('error', failure(Status.UNKNOWN, 'Internal server error'));
      const backend = await new ScriptedBackend({
        say: (_call, done) => done(failure(Status.UNKNOWN, 'Internal server error')),
        repeat: fails,
        join: (_call, done) => done(failure(Status.UNKNOWN, 'Internal server error')),
        talk: fails,
      }).start();
      const error = await failed(make(await connect(backend.target, more), {}));
      expect(error).toMatchObject({ ...names, peer: backend.address, code: Status.UNKNOWN });
      expect(error.details).toBe('Internal server error');
    });

    it('says which connection was lost', async () => {
      const peer = await new RawPeer(({ stream }) => stream.session!.destroy()).start();
      const error = await failed(
        make(await connect(peer.target, { ...more, loadBalancing: { health: { enabled: false } } }), {}),
      );
      expect(error).toMatchObject({ ...names, peer: peer.address, code: Status.UNAVAILABLE });
      expect(error.details).toMatch(new RegExp(`,remote_addr=${peer.address}$`));
      expect(error.message).toContain(error.details);
    });

    it('names no backend if the call was not sent', async () => {
      const echo = await connect(new SilentDiscovery().target, more);
      const error = await failed(make(echo, { timeout: 100 }));
      expect(error).toMatchObject({ ...names, code: Status.DEADLINE_EXCEEDED });
      expect(error).not.toHaveProperty('peer');
    });
  });

  it('explains a deadline that looks like seconds, also if the server says first that it has passed', async () => {
    const backend = await new ScriptedBackend({
      say: (_call, done) => done(failure(Status.DEADLINE_EXCEEDED, 'Deadline exceeded')),
    }).start();
    const echo = await connect(backend.target, more);
    const error = await failed(promises(echo).say({}, { timeout: 30 }));
    expect(error.message).toContain('(client EchoClient: times are in milliseconds, as in { timeout: 5000 } for 5 s)');
  });
});

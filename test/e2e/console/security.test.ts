import { type CanActivate, type ExecutionContext, Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { GrpcLbModule } from 'nestjs-grpc-lb';
import { GrpcLbConsoleModule, type GrpcLbConsoleOptions } from 'nestjs-grpc-lb/console';
import { describe, expect, it } from 'vitest';
import { ADAPTERS, type AskOptions, consoleApp, type Platform } from '../../support/console/console-app.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

/** What the guard injects. */
@Injectable()
class Admins {
  readonly names = ['ada'];
}

@Module({ providers: [Admins], exports: [Admins] })
class AdminsModule {}

@Injectable()
class AdminGuard implements CanActivate {
  constructor(private readonly admins: Admins) {}

  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    return this.admins.names.includes(headers['x-user'] ?? '');
  }
}

const GUARDED: GrpcLbConsoleOptions = { imports: [AdminsModule], actions: { guards: [AdminGuard] } };

const act = (body: unknown, headers: Record<string, string> = {}): AskOptions => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', 'x-grpc-lb-console': 'act', 'x-user': 'ada', ...headers },
  body: JSON.stringify(body),
});

describe.each(Object.keys(ADAPTERS) as Platform[])('on %s', (platform) => {
  it('every response forbids inline code, other servers and frames', async () => {
    const { ask, events } = await consoleApp({ platform });
    const paths = ['/grpc-lb', '/grpc-lb/assets/main.js', '/grpc-lb/info', '/grpc-lb/config?client=ECHO'];
    const answers = await Promise.all([...paths, '/grpc-lb/explain?client=NOPE'].map((path) => ask(path)));
    const stream = (await events('/grpc-lb/stream')).response;
    for (const { headers } of [...answers, stream]) {
      const policy = headers['content-security-policy'] as string;
      expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'; require-trusted-types-for 'script'");
      expect(policy).not.toMatch(/unsafe|https?:|\*|data:/);
      expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY' });
    }
  });

  it('the page has no inline code, and names no other server', async () => {
    const { ask } = await consoleApp({ platform });
    const { text } = await ask('/grpc-lb');
    expect(text).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/i);
    const names = [...text.matchAll(/(?:src|href)="\.\/grpc-lb\/assets\/([^"]+)"/g)].map(([, name]) => name!);
    for (const name of names) {
      const file = (await ask(`/grpc-lb/assets/${name}`)).text.replaceAll('http://www.w3.org/2000/svg', '');
      expect(file, name).not.toMatch(/https?:\/\/|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/);
    }
  });

  it('there are no actions unless they are switched on', async () => {
    const { ask, addresses } = await consoleApp({ platform });
    expect(
      (await ask('/grpc-lb/actions', act({ action: 'drain', client: 'ECHO', address: addresses[0] }))).status,
    ).toBe(404);
  });

  it('an action needs the guard, the header of the page, JSON, and the same origin', async () => {
    const { ask, addresses, registry, port } = await consoleApp({ platform, console: GUARDED });
    const eject = { action: 'eject', client: 'ECHO', address: addresses[0], durationMs: 60_000 };
    const refused: AskOptions[] = [
      act(eject, { 'x-user': 'eve' }),
      act(eject, { 'x-grpc-lb-console': '' }),
      act(eject, { 'content-type': 'text/plain' }),
      act(eject, { 'sec-fetch-site': 'cross-site' }),
      act(eject, { 'sec-fetch-site': 'same-site' }),
      act(eject, { origin: 'https://evil.example' }),
      act(eject, { origin: 'null' }),
      act(eject, { origin: `http://127.0.0.1:${port + 1}` }),
    ];
    for (const each of refused) expect((await ask('/grpc-lb/actions', each)).status, JSON.stringify(each)).toBe(403);
    // As links, images and forms of other pages send it.
    expect((await ask('/grpc-lb/actions?action=eject&client=ECHO', { headers: { 'x-user': 'ada' } })).status).toBe(404);
    expect(registry.snapshot('ECHO').endpoints[0]!.state).toBe('ready');
    const headers = { 'sec-fetch-site': 'same-origin', origin: `http://127.0.0.1:${port}` };
    expect(await ask('/grpc-lb/actions', act(eject, headers))).toMatchObject({ status: 200 });
    expect(registry.snapshot('ECHO').endpoints[0]!.state).toBe('ejected');
  });

  it('each action does what it says, and what is impossible is a sentence', async () => {
    const { ask, addresses, registry } = await consoleApp({ platform, console: GUARDED, servers: 2 });
    const doIt = async (body: object): Promise<unknown> => {
      const { status, text } = await ask('/grpc-lb/actions', act({ client: 'ECHO', address: addresses[0], ...body }));
      return { status, ...(JSON.parse(text) as object) };
    };
    expect(await doIt({ action: 'drain' })).toMatchObject({ status: 200, done: true });
    expect(registry.snapshot('ECHO').drained).toEqual([addresses[0]]);
    expect(await doIt({ action: 'restore' })).toMatchObject({ status: 200 });
    expect(await doIt({ action: 'policy', policy: 'random' })).toMatchObject({ status: 200 });
    expect(registry.snapshot('ECHO').loadBalancing!.policy).toEqual({ name: 'random' });
    expect(await doIt({ action: 'recycle', address: addresses[1] })).toMatchObject({ status: 200 });
    for (const [body, message] of [
      [{ action: 'eject', durationMs: -1 }, /durationMs is -1/],
      [{ action: 'eject', durationMs: 'x' }, /durationMs is NaN/],
      [{ action: 'drain', address: '10.0.0.1:1' }, /no endpoint is in use at "10.0.0.1:1"/],
      [{ action: 'drain', address: { $ne: null } }, /no endpoint is in use/],
      [{ action: 'drain', client: 'NOPE' }, /"NOPE", which is not declared/],
      [{ action: 'policy', policy: 'ring_hash' }, /"ring_hash" is not one of/],
      [{ action: 'constructor' }, /is not an action of this page/],
      [{ action: 7 }, /is not an action of this page/],
    ] as const)
      expect(await doIt(body)).toMatchObject({ status: 400, done: false, message: expect.stringMatching(message) });
    const empty = await ask('/grpc-lb/actions', { ...act(null), body: 'null' });
    expect(empty.status).toBe(400);
  });

  it('a policy that the environment sets stays, and the page says why', async () => {
    const root = { overrides: { ECHO: { loadBalancing: { policy: 'round_robin' } } } } as const;
    const { ask, registry } = await consoleApp({ platform, console: GUARDED, root });
    const answer = await ask('/grpc-lb/actions', act({ action: 'policy', client: 'ECHO', policy: 'random' }));
    expect(answer).toMatchObject({ status: 400, text: expect.stringContaining('it stays round_robin') });
    expect(registry.snapshot('ECHO').loadBalancing!.policy.name).toBe('round_robin');
  });

  it('guards of the page decide who may see anything', async () => {
    const { ask } = await consoleApp({ platform, console: { imports: [AdminsModule], guards: [AdminGuard] } });
    for (const path of ['', '/assets/main.js', '/info', '/stream', '/config?client=ECHO', '/explain?client=ECHO']) {
      expect((await ask(`/grpc-lb${path}`)).status, path).toBe(403);
    }
    expect((await ask('/grpc-lb', { headers: { 'x-user': 'ada' } })).status).toBe(200);
  });

  it('no more pages are open than allowed, and a page that leaves makes room', async () => {
    const { ask, events } = await consoleApp({ platform, console: { maxViewers: 2 } });
    const [first] = await Promise.all([events('/grpc-lb/stream'), events('/grpc-lb/stream')]);
    expect(await ask('/grpc-lb/stream')).toMatchObject({ status: 503, headers: { 'retry-after': '30' } });
    first.close();
    await expect
      .poll(() =>
        events('/grpc-lb/stream').then(
          ({ response }) => response.statusCode,
          () => 503,
        ),
      )
      .toBe(200);
  });
});

it('all faults of the options are one error', async () => {
  const options = {
    path: 'x/:id',
    title: '',
    maxViewers: 0,
    guards: [{}],
    actions: { guards: [] },
    calls: { maxPerSecond: 0, sample: 1 },
    panels: [
      { title: 'x', script: 'https://evil.example/x.js' },
      { title: 'x', script: '//evil.example/x.js' },
      { title: 'x' },
    ],
  };
  expect(() => GrpcLbConsoleModule.forRoot(options as never)).toThrow(
    expect.objectContaining({
      code: 'GRPC_LB_INVALID_OPTIONS',
      faults: [
        { path: 'path', message: expect.stringContaining('"x/:id"') },
        { path: 'title', message: expect.any(String) },
        { path: 'maxViewers', message: expect.stringContaining('from 1 to 1000') },
        { path: 'guards[0]', message: expect.any(String) },
        { path: 'actions.guards', message: expect.stringContaining('list at least one guard') },
        { path: 'calls.maxPerSecond', message: expect.any(String) },
        { path: 'calls.sample', message: expect.stringContaining('is not an option') },
        { path: 'panels[0].script', message: expect.any(String) },
        { path: 'panels[1].script', message: expect.any(String) },
        { path: 'panels[2].script', message: 'is missing' },
      ],
    }),
  );
  expect(() => GrpcLbConsoleModule.forRoot({ actions: {} } as never)).toThrow(/actions\.guards is missing/);
});

it('without GrpcLbModule.forRoot() the error says so', async () => {
  const building = Test.createTestingModule({ imports: [GrpcLbConsoleModule.forRoot()] }).compile();
  await expect(building).rejects.toThrow(/^GrpcLbConsoleModule: .*GrpcLbModule\.forRoot\(\) is missing; add it/s);
  const root = { imports: [GrpcLbModule.forRoot(), GrpcLbConsoleModule.forRoot({ calls: false })] };
  const module = await Test.createTestingModule(root).compile();
  await module.close();
});

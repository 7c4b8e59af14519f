import { beforeAll, describe, expect, it } from 'vitest';
import { installed, place } from './install.js';
import { mustRun } from './run.js';

/** What the fixture `grpc-js` prints. */
interface Report extends Record<string, unknown> {
  readonly version: string;
}

const METADATA = {
  'seen-x-text': 'a text',
  'seen-x-many': 'first, second',
  'seen-x-data-bin': { type: 'Buffer', data: [1, 2, 3] },
};

// The package relies on more of grpc-js than its documented API. What grpc-js does with it can only be seen in calls.
describe.each<[string, Record<string, string>]>([
  ['the oldest supported', { '@grpc/grpc-js': '1.14.0' }],
  // What the range of an application gets, which the other tests have installed anyway.
  ['the newest', {}],
])('with %s @grpc/grpc-js', (_, exact) => {
  let report: Report;

  beforeAll(async () => {
    const app = place(await installed('nest-12', exact), 'grpc-js', 'module');
    const { stdout } = await mustRun(process.execPath, ['main.mjs'], app, 240_000);
    report = JSON.parse(stdout.trim().split('\n').at(-1)!) as Report;
  }, 900_000);

  it('calls are made through that version', async () => {
    const newest = async (): Promise<string> => {
      const { stdout } = await mustRun('npm', ['view', '@grpc/grpc-js', 'version'], import.meta.dirname, 240_000);
      return stdout.trim();
    };
    expect(report.version).toBe(exact['@grpc/grpc-js'] ?? (await newest()));
  });

  it.each([
    ['unary', { lines: [3], initial: { 'seen-path': '/echo.v1.Echo/Say' } }],
    ['serverStreaming', { lines: [3], initial: { 'seen-path': '/echo.v1.Echo/Repeat' } }],
    ['clientStreaming', { lines: [2], initial: { 'seen-path': '/echo.v1.Echo/Join' } }],
    ['bidirectional', { lines: [1, 2], initial: { 'seen-path': '/echo.v1.Echo/Talk' } }],
  ])('metadata of a %s call goes both ways', (kind, { lines, initial }) => {
    expect(report[kind]).toMatchObject({
      lines,
      initial: { ...METADATA, ...initial, 'seen-grpc-accept-encoding': 'identity,deflate,gzip' },
      trailer: ['end'],
    });
  });

  it('a deadline reaches the server', () => {
    expect(report['unary']).toMatchObject({ initial: { 'seen-grpc-timeout': expect.stringMatching(/^\d{5}m$/) } });
  });

  it('the stream limit of a connection is known', () => {
    expect(report['streamLimit']).toBe(7);
  });

  it('messages are compressed both ways', () => {
    expect(report['gzip']).toMatchObject({ lines: [10_000, 20_000], initial: { 'seen-grpc-encoding': 'gzip' } });
  });

  it('a retry says that it is one', () => {
    expect(report['retry']).toMatchObject({
      lines: [3],
      initial: { ...METADATA, 'seen-grpc-previous-rpc-attempts': '1' },
    });
  });

  it('a refused stream goes to the other endpoint', () => {
    expect(report).toMatchObject({ refused: { lines: [100_000], initial: METADATA }, refusedStreams: 2 });
  });

  it('a response that is too large ends the call', () => {
    expect(report['tooLarge']).toMatchObject({
      code: 8,
      details: expect.stringContaining('Received message larger than max'),
    });
  });

  it('of which the endpoint is not thought worse, and nothing is left in flight', () => {
    expect(report).toMatchObject({ learned: [[1, 0, 0]], inFlight: 0 });
  });
});

import { describe, expect, test } from 'vitest';
import { type DoctorReport, runDoctor } from '../../../libs/grpc-lb/src/doctor/index.js';
import { startHttp2 } from '../../support/doctor/http2-servers.js';
import { startTcpServer } from '../../support/doctor/servers.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { Stopwatch } from '../../support/time/stopwatch.js';

expectNoLeaks();

/** What a report may take at most, whatever a server sends: 13 checks and a few findings of 5 x 500 characters. */
const MOST_CHARACTERS = 30_000;

/** Codes, after the bounds are checked that hold for every server. */
async function codesAt(port: number, more: object = {}): Promise<string[]> {
  const before = process.memoryUsage().rss;
  let report!: DoctorReport;
  const run = async (): Promise<void> => {
    report = await runDoctor({ target: `static:///127.0.0.1:${port}`, env: {}, ...more });
  };
  expect(await new Stopwatch().time(run)).toBeLessThan(5000);
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
  expect(JSON.stringify(report).length).toBeLessThan(MOST_CHARACTERS);
  return report.findings.map(({ code }) => code);
}

const HEAD = { ':status': 200, 'content-type': 'application/grpc' } as const;
/** Frames that keep coming while the client reads. */
const flood =
  (frame: Buffer) =>
  (socket: { write(part: Buffer): boolean; once(e: 'drain', f: () => void): unknown; destroyed: boolean }) => {
    const many = Buffer.concat(Array.from({ length: 1000 }, () => frame));
    const more = (): void => {
      if (socket.destroyed) return;
      if (socket.write(many)) setImmediate(more);
      else socket.once('drain', more);
    };
    more();
  };
const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
const PING = Buffer.concat([Buffer.from([0, 0, 8, 6, 0, 0, 0, 0, 0]), Buffer.alloc(8)]);

describe('a hostile server neither hangs nor floods the doctor', () => {
  test('endless SETTINGS', async () => {
    await codesAt(await startTcpServer(flood(SETTINGS)));
  });

  test('endless PINGs', async () => {
    await codesAt(
      await startTcpServer((socket) => {
        socket.write(SETTINGS);
        flood(PING)(socket);
      }),
    );
  });

  test('an endless text in plaintext', async () => {
    expect(await codesAt(await startTcpServer(flood(Buffer.from('\u001b[31mHello, world '))))).toEqual(['not-http2']);
  });

  test('an endless answer of the health service', async () => {
    const port = await startHttp2((stream) => {
      stream.respond(HEAD);
      // A message of 4 GB.
      stream.write(Buffer.from([0, 255, 255, 255, 255]));
      flood(Buffer.alloc(100))(stream);
    });
    expect(await codesAt(port)).toEqual(['not-grpc']);
  });

  test('a health service that answers byte by byte and never to the end', async () => {
    const port = await startHttp2((stream) => {
      stream.respond(HEAD);
      stream.write(Buffer.from([0, 0, 0, 4]));
    });
    expect(await codesAt(port)).toEqual(['silent-peer']);
  });

  test('endless informational headers', async () => {
    const port = await startHttp2((stream) => {
      const more = (): void => {
        if (stream.destroyed) return;
        stream.additionalHeaders({ ':status': 103, 'x-more': 'x'.repeat(1000) });
        setImmediate(more);
      };
      more();
    });
    await codesAt(port);
  });

  test('a status text with control characters, and of any length', async () => {
    const text = encodeURIComponent(`\u001b[2J\u202e${'x'.repeat(10_000)}`);
    const port = await startHttp2((stream) => {
      stream.respond({ ...HEAD, 'grpc-status': 14, 'grpc-message': text }, { endStream: true });
    });
    const { findings } = await runDoctor({ target: `static:///127.0.0.1:${port}`, env: {} });
    expect(findings[0]!.code).toBe('not-serving');
    expect(findings[0]!.evidence[0]).toMatch(/^[\x20-\x7e]{1,500}$/);
  });

  test('reflection that lists 50,000 services', async () => {
    const name = Buffer.from('orders.v1.Orders');
    const service = Buffer.concat([Buffer.from([10, name.length + 2, 10, name.length]), name]);
    const list = Buffer.concat(Array.from({ length: 50_000 }, () => service));
    const length = Buffer.from([
      0x32,
      (list.length & 0x7f) | 0x80,
      ((list.length >> 7) & 0x7f) | 0x80,
      list.length >> 14,
    ]);
    const message = Buffer.concat([length, list]);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    const port = await startHttp2((stream, headers) => {
      stream.respond(HEAD);
      if (headers[':path']?.includes('Health')) stream.write(Buffer.from([0, 0, 0, 0, 2, 8, 1]));
      else stream.write(Buffer.concat([head, message]));
    });
    expect(await codesAt(port, { services: ['orders.v1.Ordres'] })).toEqual(['service-missing']);
  });
});

test('a run with many endpoints that do not answer ends in time, and examines all at once', async () => {
  let accepted = 0;
  const port = await startTcpServer((socket) => {
    accepted++;
    socket.resume();
  }, '0.0.0.0');
  const addresses = Array.from({ length: 200 }, (_, i) => `127.0.1.${i + 1}:${port}`);
  let report!: DoctorReport;
  const run = async (): Promise<void> => {
    report = await runDoctor({ target: `static:///${addresses.join(',')}`, env: {}, maxEndpoints: 200 });
  };
  expect(await new Stopwatch().time(run)).toBeLessThan(5000);
  expect(report.examined).toHaveLength(200);
  expect(report.findings).toMatchObject([{ code: 'silent-peer' }]);
  expect(accepted).toBeGreaterThanOrEqual(200);
});

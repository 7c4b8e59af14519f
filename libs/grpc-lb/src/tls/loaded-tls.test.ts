import { execFileSync } from 'node:child_process';
import { createPrivateKey, type KeyExportOptions } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { inDays, TestAuthority } from '../../../../test/support/peers/certificates.js';
import { SecretVolume } from '../../../../test/support/peers/secret-volume.js';
import { loadTls } from './loaded-tls.js';
import { certificateFaults } from './open-source.js';
import { PemFiles } from './pem-files.js';
import { TlsFault } from './pem.js';

const CLIENT = { needsOwn: false, needsCa: false };
/** What `openssl ecparam -name prime256v1` writes. */
const P256_PARAMETERS = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';

const encoded = (key: string, options: KeyExportOptions<'pem'>): string =>
  createPrivateKey(key).export(options) as string;

const ANY = { ...CLIENT, minVersion: 'TLSv1.2' } as const;

describe('certificates', () => {
  const ca = new TestAuthority();
  const other = new TestAuthority('other');
  const good = ca.issue({ names: ['orders', 'spiffe://example.org/orders'] });

  const faultOf = (texts: { ca?: string; cert?: string; key?: string }, now = Date.now()): string => {
    try {
      loadTls({ ca: undefined, cert: undefined, key: undefined, ...texts }, ANY, now);
      return 'none';
    } catch (error) {
      if (!(error instanceof TlsFault)) throw error;
      return `${error.part} ${error.message}`;
    }
  };

  test('are known by their SPIFFE id, fingerprint and end', () => {
    const { own, ca: trusted } = loadTls({ ca: ca.cert + other.cert, ...good }, ANY, Date.now());
    expect(own).toMatchObject({
      name: 'spiffe://example.org/orders',
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(Math.round((own!.until - Date.now()) / 86_400_000)).toBe(30);
    expect(trusted!.count).toBe(2);
  });

  test('a chain ends with the first of its certificates', () => {
    const short = ca.issue({ names: ['middle'], until: inDays(1) });
    const { own } = loadTls({ ca: undefined, cert: good.cert + short.cert, key: good.key }, ANY, Date.now());
    expect(Math.round((own!.until - Date.now()) / 86_400_000)).toBe(1);
  });

  test.each<[string, () => { ca?: string; cert?: string; key?: string }, RegExp]>([
    ['a key of another', () => ({ ...good, key: ca.issue({ names: ['x'] }).key }), /^key does not belong/],
    [
      'a chain in the wrong order',
      () => ({ ...good, cert: ca.cert + good.cert }),
      /^cert has the certificate of the key at place 2/,
    ],
    ['half a certificate', () => ({ ...good, cert: good.cert.slice(0, 200) }), /^cert ends within a certificate/],
    ['half a key', () => ({ ...good, key: good.key.slice(0, 100) }), /^key cannot be read; it may be half written/],
    [
      'garbage in a certificate',
      () => ({ ...good, cert: good.cert.replace(/\n.{40}/, `\n${'A'.repeat(40)}`) }),
      /^cert has a certificate \(number 1\) that cannot be read/,
    ],
    [
      'a key with \\n instead of line breaks',
      () => ({ ...good, key: good.key.replaceAll('\n', '\\n') }),
      /^key has "\\n" where line breaks belong/,
    ],
    [
      'a bundle with \\n instead of line breaks',
      () => ({ ca: ca.cert.replaceAll('\n', '\\n') }),
      /^ca has "\\n" where line breaks belong/,
    ],
    ['no certificate', () => ({ ...good, cert: 'hello' }), /^cert contains no certificate/],
    ['an empty key', () => ({ ...good, key: ' \n' }), /^key is empty/],
    ['an empty bundle', () => ({ ca: '' }), /^ca is empty/],
    ['a key instead of a bundle', () => ({ ca: good.key }), /^ca contains no certificate/],
    [
      'an expired certificate',
      () => ca.issue({ names: ['x'], from: inDays(-3), until: inDays(-1) }),
      /^cert expired at 20\d\d-.* UTC; renew it/,
    ],
    ['one for later', () => ca.issue({ names: ['x'], from: inDays(1), until: inDays(2) }), /^cert is not valid before/],
    ['a certificate without a key', () => ({ cert: good.cert }), /^key is missing/],
    ['too many', () => ({ ca: ca.cert.repeat(1001) }), /^ca has 1001 certificates/],
  ])('%s is refused', (_, texts, why) => {
    const fault = faultOf(texts());
    expect(fault).toMatch(why);
    expect(fault).not.toContain('BEGIN PRIVATE');
  });

  test('a bundle may contain an expired CA, but not only expired ones', () => {
    const late = inDays(366).getTime();
    expect(faultOf({ ca: ca.cert }, late)).toMatch(/^ca has expired at/);
    expect(faultOf({ ca: ca.cert + other.cert }, late)).toMatch(/^ca has only CAs that have expired/);
  });

  test('an encrypted key is refused with a remedy', () => {
    const key = encoded(good.key, { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' });
    expect(faultOf({ ...good, key })).toMatch(/^key is encrypted; use a key without a passphrase/);
  });

  test('an unknown cipher of the environment is named as a possible cause', () => {
    vi.stubEnv('GRPC_SSL_CIPHER_SUITES', 'nonsense');
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(faultOf(good)).toMatch(/no cipher match; the variable GRPC_SSL_CIPHER_SUITES may be the cause$/);
  });

  test('a fault names the option and the file', () => {
    const volume = new SecretVolume({ 'tls.crt': good.cert, 'tls.key': '' });
    const files = { cert: volume.path('tls.crt'), key: volume.path('tls.key') };
    const missing = { cert: volume.path('nothing'), key: volume.path('tls.key') };
    mkdirSync(volume.path('directory'));
    expect(certificateFaults('tls', files, CLIENT)).toEqual([
      { path: 'tls.key', message: `(${files.key}) is empty; it may be half written` },
    ]);
    expect(certificateFaults('tls', missing, CLIENT)).toEqual([
      {
        path: 'tls.cert',
        message: `${missing.cert} cannot be read: ENOENT; check the path, and that the file is mounted`,
      },
    ]);
    expect(certificateFaults('tls', { ca: volume.path('directory') }, CLIENT)[0]!.message).toContain('EISDIR');
    volume.close();
  });

  test('only small regular files are read, and none is waited for', () => {
    const volume = new SecretVolume({ big: Buffer.alloc(1_048_577).toString() });
    const pipe = volume.path('pipe');
    execFileSync('mkfifo', [pipe]);
    const messageOf = (path: string): string => certificateFaults('tls', { ca: path }, CLIENT)[0]!.message;
    expect(messageOf(pipe)).toBe(`${pipe} is not a regular file; name a file in PEM`);
    expect(messageOf(volume.path('big'))).toContain('is larger than 1048576 bytes; name a file with certificates');
    volume.close();
  });

  // Its size is 0 until it is read.
  const symbols = '/proc/kallsyms';
  test.skipIf(!isLong(symbols))('a file that hides its length is not read to its end', () => {
    expect(certificateFaults('tls', { ca: symbols }, CLIENT)[0]!.message).toContain('is larger than 1048576 bytes');
  });

  test.each<[string, () => { cert: string; key: string }]>([
    ['a byte order mark', () => ({ cert: `\ufeff${good.cert}`, key: `\ufeff${good.key}` })],
    ['CRLF', () => ({ cert: good.cert.replaceAll('\n', '\r\n'), key: good.key.replaceAll('\n', '\r\n') })],
    ['both in one file', () => ({ cert: good.key + good.cert, key: good.cert + good.key })],
    [
      'a key of SEC 1 after its parameters',
      () => ({
        cert: good.cert,
        key: P256_PARAMETERS + encoded(good.key, { type: 'sec1', format: 'pem' }),
      }),
    ],
  ])('%s makes no difference', (_, texts) => {
    expect(faultOf(texts())).toBe('none');
  });

  test('a relative path is shown if it cannot be a key', () => {
    const messageOf = (path: string): string => certificateFaults('tls', { ca: path }, CLIENT)[0]!.message;
    expect(messageOf('certs/ca.crt')).toMatch(/^certs\/ca\.crt cannot be read: ENOENT/);
    expect(messageOf('~/ca.pem')).toMatch(/^~\/ca\.pem cannot be read: ENOENT/);
  });

  test('what looks like a path may be a key, and is never shown', () => {
    const base64 = good.key.split('\n').slice(1, -2).join('');
    const [fault] = certificateFaults('tls', { cert: good.cert, key: base64 }, CLIENT);
    expect(fault).toEqual({
      path: 'tls.key',
      message: 'names a file that cannot be read: ENOENT; check the path, and that the file is mounted',
    });
  });

  test('files that change while they are read are read again', async () => {
    const volume = new SecretVolume({ 'tls.crt': good.cert, 'tls.key': good.key });
    const next = ca.issue({ names: ['orders'] });
    const files = new PemFiles({ ca: undefined, cert: volume.path('tls.crt'), key: volume.path('tls.key') });
    const read = files.read();
    volume.replace({ 'tls.crt': next.cert, 'tls.key': next.key });
    expect([good.cert, next.cert]).toContain((await read).cert);
    const { cert, key } = await files.read();
    expect({ cert, key }).toEqual(next);
    files.close();
    writeFileSync(join(volume.path('..data'), 'tls.key'), 'x');
    volume.close();
  });
});

function isLong(path: string): boolean {
  try {
    return readFileSync(path).length > 2_000_000;
  } catch {
    return false;
  }
}

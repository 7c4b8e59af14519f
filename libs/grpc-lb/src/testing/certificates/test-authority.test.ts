import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { TestAuthority } from './test-authority.js';

const DAY_MS = 86_400_000;
const inDays = (days: number): Date => new Date(Math.floor(Date.now() / 1000) * 1000 + days * DAY_MS);

describe('a certificate of a test', () => {
  const authority = new TestAuthority();
  const ca = new X509Certificate(authority.cert);

  it('is signed by its authority, and fits its key', () => {
    const { cert, key } = authority.issue();
    const leaf = new X509Certificate(cert);
    expect([leaf.verify(ca.publicKey), leaf.checkIssued(ca), leaf.ca]).toEqual([true, true, false]);
    expect(leaf.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect([ca.verify(ca.publicKey), ca.ca, ca.subject]).toEqual([true, true, 'CN=test CA']);
    expect(leaf.verify(new X509Certificate(new TestAuthority().cert).publicKey)).toBe(false);
    expect(authority.issue().cert).not.toBe(cert);
  });

  it('has its names', () => {
    const names = ['orders.shop', '*.shop', '10.0.0.1', '::1', 'fd00::a:b', '::ffff:10.0.0.2', 'spiffe://a.org/orders'];
    const leaf = new X509Certificate(authority.issue({ names }).cert);
    expect(leaf.subjectAltName!.split(', ')).toEqual([
      'DNS:orders.shop',
      'DNS:*.shop',
      'IP Address:10.0.0.1',
      'IP Address:0:0:0:0:0:0:0:1',
      'IP Address:FD00:0:0:0:0:0:A:B',
      'IP Address:0:0:0:0:0:FFFF:A00:2',
      'URI:spiffe://a.org/orders',
    ]);
    const local = new X509Certificate(authority.issue().cert);
    expect([local.checkHost('localhost'), local.checkIP('127.0.0.1'), local.checkIP('::1')]).not.toContain(undefined);
  });

  it('of many names is long', () => {
    const names = Array.from({ length: 5000 }, (_, i) => `orders-${i}.shop`);
    expect(new X509Certificate(authority.issue({ names }).cert).subjectAltName!.split(', ')).toHaveLength(5000);
  });

  it.each([
    [inDays(-3), inDays(-2)],
    [inDays(1), inDays(10_000)],
    [new Date('1970-01-01T00:00:00Z'), new Date('2049-12-31T23:59:59Z')],
    [new Date('2050-01-01T00:00:00Z'), new Date('9999-12-31T23:59:59Z')],
  ])('is valid from %s until %s', (from, until) => {
    const leaf = new X509Certificate(authority.issue({ from, until }).cert);
    expect([new Date(leaf.validFrom), new Date(leaf.validTo)]).toEqual([from, until]);
  });

  test.each<[object, string]>([
    [{ names: [] }, 'issue: names is []; use a list'],
    [{ names: 'localhost' }, 'issue: names is "localhost"; use a list'],
    [{ names: ['a b'] }, 'issue: names has "a b"; use host names, addresses or URIs'],
    [{ names: [7] }, 'issue: names has 7; use host names'],
    [{ until: 5 }, 'issue: until is 5; use a Date'],
    [{ from: new Date('never') }, 'issue: from is'],
  ])('is not issued for %j', (request, message) => {
    expect(() => authority.issue(request)).toThrow(message);
  });

  it.skipIf(!hasOpenssl())('is what openssl accepts when it is strict', () => {
    const folder = mkdtempSync(join(tmpdir(), 'test-authority-'));
    try {
      const write = (name: string, text: string): string => {
        writeFileSync(join(folder, name), text);
        return join(folder, name);
      };
      const trusted = write('ca.pem', authority.cert);
      const cert = write('cert.pem', authority.issue().cert);
      const verify = (purpose: string): string =>
        execFileSync(
          'openssl',
          ['verify', '-x509_strict', '-check_ss_sig', '-purpose', purpose, '-CAfile', trusted, cert],
          { encoding: 'utf8', stdio: 'pipe' },
        );
      for (const purpose of ['sslserver', 'sslclient']) expect(verify(purpose)).toContain('OK');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

function hasOpenssl(): boolean {
  try {
    return /^(OpenSSL [13]|LibreSSL)/.test(execFileSync('openssl', ['version'], { encoding: 'utf8' }));
  } catch {
    return false;
  }
}

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { fastClock, HeardSource, kubeConfigFile } from '../../support/kubernetes/client.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

/** An API server, or an impostor, that sends endless or oversized responses. */

expectNoLeaks();

async function listen(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(handler);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  return kubeConfigFile({ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

/** Writes as long as the client reads; resolves with the number of bytes that went out. */
async function pour(response: ServerResponse, text: string): Promise<number> {
  let bytes = 0;
  const write = (): void => {
    do bytes += text.length;
    while (response.write(text) && !response.destroyed);
  };
  response.on('drain', write);
  write();
  await once(response, 'close');
  return bytes;
}

const megabyte = 2 ** 20;

test('an endless error response is cut off after its first kilobytes', async () => {
  const poured: Promise<number>[] = [];
  const config = await listen((_, response) => {
    response.writeHead(403, { 'content-type': 'text/plain' });
    poured.push(pour(response, 'no '.repeat(10_000)));
  });
  const source = new HeardSource({ kubeConfigFile: config });
  await source.until(() => source.errors.length > 0);
  expect(source.errors[0]).toMatch(
    /refuses access to the EndpointSlices of "orders" in namespace "shop": 403; bind a Role/,
  );
  // Only the buffers of both sides were sent, and not 700 MB a second until the timeout.
  expect(await poured[0]).toBeLessThan(32 * megabyte);
  source.stop();
});

test('a Status with line breaks and escapes is one line of an error, and short', async () => {
  const message = `you\nmay not \u001B[31m${'x'.repeat(60_000)}`;
  const config = await listen((_, response) => {
    response.writeHead(403, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ code: 403, reason: 'For\r\nbidden', message }));
  });
  const source = new HeardSource({ kubeConfigFile: config });
  await source.until(() => source.errors.length > 0);
  expect(source.errors[0]).toMatch(
    /^[ -~]*: 403 For\\r\\nbidden: you\\nmay not \\u001b\[31mx+\.\.\. [ -~]*bind a Role[ -~]*$/,
  );
  expect(source.errors[0]!.length).toBeLessThan(700);
  source.stop();
});

test.each([
  ['one endless string', () => '{"items":["', 'x'.repeat(65_536), /sent more than 2097152 characters/],
  ['lists within lists', () => '{"items":[', '['.repeat(65_536), /sent more than 2097152 characters/],
  ['slices without end', () => '{"items":[', '{},'.repeat(20_000), /sent a list of more than 20000 EndpointSlices/],
  ['a token without end', () => '{"metadata":{"continue":"', 'x'.repeat(65_536), /sent more than 2097152 characters/],
])('a list with %s is rejected while it is read', async (_, begin, more, fault) => {
  const poured: Promise<number>[] = [];
  const config = await listen((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(begin());
    poured.push(pour(response, more));
  });
  const began = fastClock.now();
  const source = new HeardSource({ kubeConfigFile: config });
  await source.until(() => source.errors.length > 0);
  expect(source.errors[0]).toMatch(fault);
  expect(await poured[0]).toBeLessThan(32 * megabyte);
  // Five warnings at once, then one in ten seconds of its clock, and not one for each of the slices without a name.
  expect(source.warnings.length).toBeLessThanOrEqual(5 + (fastClock.now() - began) / 10_000);
  source.stop();
});

test.each([
  [
    'two megabytes of brackets',
    `${'['.repeat(2_000_000)}\n`,
    /sent an object with more than 64 nested lists and objects/,
  ],
  ['two megabytes of values', `{"type":[${'[],'.repeat(600_000)}1]}\n`, /sent an object with more than 100000 values/],
])('an event of %s is rejected before it is parsed, and the last list stays', async (_, text, fault) => {
  const config = await listen((request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    if (request.url!.includes('watch=1')) return void response.write(text);
    const endpoints = [{ addresses: ['10.0.0.1'] }];
    const item = { metadata: { name: 'a' }, addressType: 'IPv4', ports: [{ name: 'grpc', port: 50051 }], endpoints };
    response.end(JSON.stringify({ metadata: { resourceVersion: '1' }, items: [item] }));
  });
  const source = new HeardSource({ kubeConfigFile: config });
  await source.until(() => source.errors.length > 0);
  expect(source.errors[0]).toMatch(fault);
  expect(source.last).toEqual(['10.0.0.1']);
  source.stop();
});

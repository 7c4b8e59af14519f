import { expect, test } from 'vitest';
import { withSendableDetails } from './sendable-details.js';

test.each([
  ['no order \uD800', 'no order \uFFFD'],
  ['\uDC00\uD800', '\uFFFD\uFFFD'],
  ['cut: \u{1F600}'.slice(0, -1), 'cut: \uFFFD'],
])('of %j, %j is sent', (details, sent) => {
  expect(() => encodeURI(details)).toThrow(URIError);
  expect(withSendableDetails({ code: 5, details })).toEqual({ code: 5, details: sent });
});

test.each<[unknown, string]>([
  [{ reason: 'x' }, '[object Object]'],
  [['is short', 'four\uD83D'], 'is short,four\uFFFD'],
  [7, '7'],
  [Object.create(null), 'an error without a message'],
])('details that are no text are sent as one', (details, sent) => {
  expect(withSendableDetails({ code: 5, details: details as string })).toEqual({ code: 5, details: sent });
});

test('other details stay', () => {
  for (const details of ['', 'Grüße \u{1F600} 100 %', undefined, null]) {
    const ending = { code: 5, details };
    expect(withSendableDetails(ending)).toBe(ending);
  }
});

test('details that a header cannot carry are cut, whatever their script', () => {
  for (const [text, kept] of [
    ['x'.repeat(49_152), true],
    ['x'.repeat(49_153), false],
    ['\u4e16'.repeat(5461), true],
    ['\u4e16'.repeat(6000), false],
  ] as const) {
    const { details } = withSendableDetails({ details: text });
    expect(details === text).toBe(kept);
    expect(encodeURI(details).length).toBeLessThanOrEqual(49_152);
    expect(details.endsWith(`... (${text.length} characters)`)).toBe(!kept);
  }
});

import * as fc from 'fast-check';

const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom('', -1, 0, 1.5, 2 ** 53, 1e308, '__proto__', 'x'.repeat(300), '\u001b[31m\n', [null], {}),
);

/** Mostly what it should be. */
export const mostly = <T>(usual: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: odd });

/** An object some of whose fields are missing or odd, and which may have more of them. */
export function looseObject(fields: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<unknown> {
  const loose = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, mostly(value)]));
  const known = fc.record(loose, { requiredKeys: [] });
  const more = fc.dictionary(fc.string({ maxLength: 8 }), odd, { maxKeys: 2 });
  return mostly(
    fc.oneof(
      { weight: 5, arbitrary: known },
      fc.tuple(known, more).map(([a, b]) => ({ ...b, ...a })),
    ),
  );
}

export const looseList = (items: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  mostly(fc.array(items, { maxLength: 5 }));

/** A text of the pieces that a language is made of, in any order, with others in between. */
export function textOf(pieces: readonly string[]): fc.Arbitrary<string> {
  const piece = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...pieces) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
  );
  return fc.array(piece, { maxLength: 30 }).map((parts) => parts.join(''));
}

/** JSON, damaged or not. */
export function jsonText(value: fc.Arbitrary<unknown>): fc.Arbitrary<string> {
  const sound = value.map((each) => JSON.stringify(each) ?? '');
  const cut = fc.tuple(sound, fc.nat(), fc.string({ maxLength: 3 }));
  const damaged = cut.map(([text, at, more]) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + more + text.slice(place + 1);
  });
  return fc.oneof({ weight: 4, arbitrary: sound }, { weight: 2, arbitrary: damaged }, fc.string({ unit: 'binary' }));
}

export const host = fc.constantFrom(
  '10.0.0.1',
  'orders',
  'orders.shop',
  '::1',
  '[::1]',
  'xn--a',
  '10.0.0.300',
  'ä',
  '-',
  '%',
);
export const port = fc.oneof(fc.integer({ min: -1, max: 70_000 }), fc.constantFrom(50_051, 0, 65_535, 65_536));

// What somebody might send who does not wish us well: texts, JSON values and field names for property-based tests, and
// how many inputs a run tries. FUZZ=20 tries twenty times as many.

import fc from "fast-check";

/** Multiplies the number of property runs. */
export const FUZZ = Number(process.env["FUZZ"] ?? 1);

/** Keys that mean something to JavaScript, to SQL or to a path. */
export const HOSTILE_KEYS = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "valueOf",
  "then",
  "toJSON",
  "length",
  "",
  "\u0000",
  "../../etc/passwd",
  "'; DROP TABLE merchants; --",
] as const;

/** Texts that have broken somebody's parser. */
export const HOSTILE_TEXTS = [
  ...HOSTILE_KEYS,
  "\ud800",
  "\udc00\ud800",
  "a\u0000b",
  "\ufeff",
  "\u2028\u2029",
  "\u202emoc.elpmaxe",
  "%",
  "%00",
  "%E0%A4%A",
  "%ff%fe",
  "NaN",
  "Infinity",
  "-0",
  "1e400",
  "0x7fffffff",
  "9".repeat(400),
  "null",
  "[object Object]",
  "{{7*7}}",
  "<script>alert(1)</script>",
  "http://[::1",
  "https://a.example:99999999/",
  "https://user:pass@a.example/",
  "https://",
  "javascript:alert(1)//a",
  "data:text/html,x",
  "9999-99-99T99:99:99Z",
  "-271821-04-19T00:00:00Z",
  "+275760-09-13T00:00:00Z",
  "2026-02-30",
  "0000-00-00",
  "İıſK", // change their length or their letter when the case changes
  "\u{1f468}\u200d\u{1f469}\u200d\u{1f467}".repeat(50),
] as const;

/** Texts that ask much of a regular expression: long runs, and an end that does not match. */
export const REPETITIVE_TEXTS: readonly string[] = [
  ...["a", ".", "/", ":", "-", " ", "cp", "shop", "\u2028", "(", "www.", "a.", "1", "@", "%", "&", "=", ";"].flatMap(
    (unit) => [unit.repeat(1_024), `${unit.repeat(1_024)}!`, `Mozilla/5.0 (${unit.repeat(500)}`],
  ),
  `${"a".repeat(500)}${" ".repeat(500)}x`,
];

export const hostileText = fc.oneof(
  fc.constantFrom(...HOSTILE_TEXTS),
  fc.constantFrom(...REPETITIVE_TEXTS),
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)), maxLength: 100 }),
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
);

const hostileNumber = fc.oneof(
  fc.constantFrom(0, -0, 1e308, -1e308, 5e-324, 2 ** 53, 2 ** 53 + 2, -1, 1.5, 4e9, 946_684_799_999, 8.64e15 + 1),
  fc.double(),
);

/** A text, a number, a keyword, or a small tree of them under hostile keys. */
export const hostileValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  leaf: fc.oneof(hostileText, hostileNumber, fc.constantFrom(true, false, null)),
  tree: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    tie("leaf"),
    fc.array(tie("tree"), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...HOSTILE_KEYS), fc.string({ maxLength: 8 })), tie("tree"), { maxKeys: 4 }),
  ),
})).tree;

/**
 * An object in which each of some fields is absent, as it should be, or hostile; and sometimes a field nobody knows.
 */
export function hostileObject(plausible: Readonly<Record<string, unknown>>): fc.Arbitrary<Record<string, unknown>> {
  const fields = Object.entries(plausible).map(([name, value]) =>
    fc.oneof(
      { weight: 4, arbitrary: fc.constant([[name, value]] as const) },
      { weight: 1, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: hostileValue.map((hostile) => [[name, hostile]] as const) },
    ),
  );
  const stranger = fc.option(fc.tuple(fc.constantFrom(...HOSTILE_KEYS), hostileValue), { nil: undefined, freq: 6 });
  return fc
    .tuple(fc.tuple(...fields), stranger)
    .map(([pairs, extra]) => Object.fromEntries([...pairs.flat(), ...(extra === undefined ? [] : [extra])]));
}

/** Lists nested so deep that whoever walks them by recursion runs out of stack. */
export function nested(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}

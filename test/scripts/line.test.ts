// A file's bytes as lines, and lines as records: whatever the line ends, however the file is cut into pieces, nothing
// is lost.

import { parse } from "csv-parse/sync";
import { array, assert, asyncProperty, constantFrom, integer, oneof, string } from "fast-check";
import { expect, test } from "vitest";
import { RECORD_LINES_MAX, splitRecord, toRecords } from "../../scripts/import/csv-record.ts";
import { LINE_LENGTH_MAX, type TextLine, toLines } from "../../scripts/import/line.ts";

/** The pieces in which a file may come from the disk. */
async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

async function all<T>(source: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const one of source) found.push(one);
  return found;
}

async function linesOf(text: string | Uint8Array, size = 7): Promise<readonly TextLine[]> {
  return await all(toLines(inPieces(typeof text === "string" ? Buffer.from(text) : text, size)));
}

const recordsOf = async (text: string, delimiter = ",") =>
  await all(toRecords(toLines(inPieces(Buffer.from(text), 5)), delimiter));

const ENDS = ["\n", "\r\n", "\r"] as const;

test("[IMP-14] lines with any ends, mixed in one file and cut anywhere, are those that were written", async () => {
  const letters = string({ unit: constantFrom("a", ",", '"', "é", "\u2028", "😀", " ") });
  const written = array(oneof(letters, letters, constantFrom("")), { maxLength: 12 });
  await assert(
    asyncProperty(
      written,
      array(integer({ min: 0, max: 2 }), { maxLength: 13 }),
      integer({ min: 1, max: 9 }),
      async (texts, ends, size) => {
        const text = texts.map((line, index) => line + ENDS[ends[index] ?? 0]).join("");
        const lines = await linesOf(text, size);
        // "\r" and an empty line that ends with "\n" are one end.
        const expected = text.split(/\r\n|\n|\r/).slice(0, -1);
        expect(lines.map((line) => line.text)).toEqual(expected);
        expect(lines.map(({ number }) => number)).toEqual(expected.map((_, index) => index + 1));
      },
    ),
  );
});

test.each([
  ["nothing", "", []],
  ["a last line without an end", "a\nb", ["a", "b"]],
  ["an end and nothing else", "\r", [""]],
  ["an empty line at the end", "a\n\n", ["a", ""]],
  ["a lone \\r at the end", "a\rb\r", ["a", "b"]],
  ["a byte order mark", "\uFEFFa\r\nb", ["a", "b"]],
])("[IMP-14] reads %s", async (_, text, expected) => {
  for (const size of [1, 2, 3, 100]) expect((await linesOf(text, size)).map((line) => line.text)).toEqual(expected);
});

test("[IMP-14] UTF-16 with its mark is read, and letters that are none of UTF-8 are seen", async () => {
  const utf16 = Buffer.from("\uFEFFä,😀\r\nb", "utf16le");
  for (const bytes of [utf16, Buffer.from(utf16).swap16()]) {
    expect((await linesOf(bytes, 3)).map(({ text, isUtf8 }) => [text, isUtf8])).toEqual([
      ["ä,😀", true],
      ["b", true],
    ]);
  }
  const latin = await linesOf(Buffer.from("ok\nCaf\xe9\nok", "latin1"));
  expect(latin.map(({ isUtf8 }) => isUtf8)).toEqual([true, false, true]);
});

test("[IMP-14] a line that is too long is cut and marked, and costs no other", async () => {
  for (const surplus of [1, LINE_LENGTH_MAX, 3 * LINE_LENGTH_MAX]) {
    const lines = await linesOf(`a\r\n${"x".repeat(LINE_LENGTH_MAX + surplus)}\r\nb`, 65_536);
    expect(lines.map(({ text, isCut }) => [text.length, isCut])).toEqual([
      [1, false],
      [LINE_LENGTH_MAX, true],
      [1, false],
    ]);
  }
});

test("[IMP-15] records are those of RFC 4180, as another reader has them", async () => {
  const field = string({ unit: constantFrom("a", "b", ",", ";", '"', "\n", "\r\n", "\r", " ", "é"), maxLength: 6 });
  const quoted = (value: string) => (/["\n\r,;]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  await assert(
    asyncProperty(
      array(array(field, { minLength: 2, maxLength: 4 }), { maxLength: 6 }),
      array(constantFrom(...ENDS)),
      async (rows, ends) => {
        const text = rows.map((row, index) => row.map(quoted).join(",") + (ends[index] ?? "\n")).join("");
        const records = await recordsOf(text);
        const options = { record_delimiter: ["\r\n", "\n", "\r"], relax_column_count: true, skip_empty_lines: true };
        expect(records.map(({ values }) => values)).toEqual(parse(text, options));
        expect(records.map(({ problem }) => problem)).toEqual(records.map(() => undefined));
      },
    ),
  );
});

test("[IMP-15] a record has the number of its first line, whatever lines are empty or within quotes", async () => {
  const records = await recordsOf('a,b\r\n\r\n"x\r\ny",1\n\n\rz,"2"\r"""",3');
  expect(records.map(({ values, first, last }) => [values, first, last])).toEqual([
    [["a", "b"], 1, 1],
    [["x\r\ny", "1"], 3, 4],
    [["z", "2"], 7, 7],
    [['"', "3"], 8, 8],
  ]);
});

test.each([
  ["a quote that is never closed", 'a,b\n1,"x\n2,y\n3,z', [["1", "x"].join(',"')], [2]],
  ["one that the quote of a later row seems to close", 'a,b\n1,"x\n2,"y"\n3,z', ['1,"x'], [2]],
  ["something after a closing quote", 'a,b\n1,"x"y\n2,y\n3,z', ['1,"x"y'], [2]],
  ["one in the last row", 'a,b\n2,y\n3,z\n4,"', ['4,"'], [4]],
])("[IMP-15] %s costs the row it stands in and no other", async (_, text, lost, numbers) => {
  const records = await recordsOf(text);
  const broken = records.filter(({ problem }) => problem !== undefined);
  expect(broken.map(({ values }) => values[0])).toEqual(lost);
  expect(broken.map(({ first }) => first)).toEqual(numbers);
  const whole = records.filter(({ problem }) => problem === undefined).map(({ values }) => values[0]);
  expect(whole).toEqual(["a", "1", "2", "3"].filter((value) => text.includes(value) && !lost[0]?.startsWith(value)));
});

test("[IMP-15] a field ends after so many lines, closed or not", async () => {
  const long = `"${"x\n".repeat(RECORD_LINES_MAX + 5)}",1\n2,3`;
  const records = await recordsOf(long);
  expect(records[0]?.problem).toContain("quotes are wrong");
  expect(records.at(-1)?.values).toEqual(["2", "3"]);
});

test.each([
  ["", ",", [""]],
  [",", ",", ["", ""]],
  ['a,"b,c",', ",", ["a", "b,c", ""]],
  ['a"b,c"', ",", ['a"b', 'c"']],
  ['"a""b"|c', "|", ['a"b', "c"]],
  ['"a', ",", "open"],
  ['"a""', ",", "open"],
  ['"a"b', ",", "wrong"],
])("[IMP-15] splits %j at %j", (text, delimiter, expected) => {
  expect(splitRecord(text, delimiter)).toEqual(expected);
});

test("[IMP-14] files that are read at once do not disturb one another", async () => {
  const count = 500;
  const fileOf = (name: string) => Array.from({ length: count }, (_, index) => `${name} ${"x".repeat(index % 40)}`);
  async function* piecesOf(lines: readonly string[]) {
    const bytes = Buffer.from(lines.map((line, index) => line + (index % 2 === 0 ? "\n" : "\r\n")).join(""));
    for (let at = 0; at < bytes.length; at += 97) {
      await Promise.resolve();
      yield bytes.subarray(at, at + 97);
    }
  }
  const names = ["a", "longer", "of another length"];
  const read = await Promise.all(
    names.map(async (name) => {
      const texts: string[] = [];
      for await (const { text } of toLines(piecesOf(fileOf(name)))) {
        texts.push(text);
        await Promise.resolve();
      }
      return texts;
    }),
  );
  expect(read).toEqual(names.map(fileOf));
});

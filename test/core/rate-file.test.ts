// The European Central Bank's file of rates, in each form that it is published in, and what is no such file.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RATE_FILE_CURRENCIES_MAX, RATE_FILE_DAYS_MAX, RATE_FILE_LENGTH_MAX } from "../../core/limits.ts";
import { parseRateFile } from "../../core/rate-file.ts";
import { parseOwnRates, parsePublished } from "../../core/rate-parser.ts";
import { dateOf, parseDate } from "../../core/time.ts";
import { GROWTH_TIMES_MAX, growthOf } from "../support/growth.ts";
import { FUZZ, hostileText, hostileValue } from "../support/hostile.ts";

const DAILY_CSV = "Date, USD, JPY, BGN, GBP, \n20 November 2026, 1.0562, 164.18, 1.9558, 0.83323, \n";
const HISTORICAL_CSV = [
  "Date,USD,JPY,CYP,TRY,RUB,",
  "2026-11-20,1.0562,164.18,N/A,36.3891,N/A,",
  "2026-11-19,1.0518,163.07,N/A,36.2,,",
  "1999-01-04,1.1789,133.73,0.58231,N/A,N/A,",
  "",
].join("\r\n");
const cubes = (date: string, ...rates: readonly (readonly [string, string])[]) =>
  `<Cube time='${date}'>${rates.map(([currency, rate]) => `<Cube currency='${currency}' rate='${rate}'/>`).join("\n")}</Cube>`;
const DAILY_XML = `<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
	<gesmes:subject>Reference rates</gesmes:subject>
	<gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
	<Cube>${cubes("2026-11-20", ["USD", "1.0562"], ["JPY", "164.18"])}</Cube>
</gesmes:Envelope>`;
const HISTORICAL_XML = `<Envelope><Cube>${cubes("2026-11-20", ["USD", "1.0562"])}${cubes("2026-11-19", ["USD", "1.0518"]).replaceAll("'", '"')}</Cube></Envelope>`;

/** The Days of a file by date; or what is wrong with it. */
function read(text: string) {
  const file = parseRateFile(text);
  if (!file.ok) return file.rejection.message;
  return Object.fromEntries(file.value.map(({ day, perEuro }) => [dateOf(day), perEuro]));
}

describe("[RAT-1] the file is read in every form that it is published in", () => {
  test.each([
    ["daily CSV", DAILY_CSV, { "2026-11-20": { USD: "1.0562", JPY: "164.18", BGN: "1.9558", GBP: "0.83323" } }],
    [
      "historical CSV",
      HISTORICAL_CSV,
      {
        "1999-01-04": { USD: "1.1789", JPY: "133.73", CYP: "0.58231" },
        "2026-11-19": { USD: "1.0518", JPY: "163.07", TRY: "36.2" },
        "2026-11-20": { USD: "1.0562", JPY: "164.18", TRY: "36.3891" },
      },
    ],
    ["daily XML", DAILY_XML, { "2026-11-20": { USD: "1.0562", JPY: "164.18" } }],
    ["historical XML", HISTORICAL_XML, { "2026-11-19": { USD: "1.0518" }, "2026-11-20": { USD: "1.0562" } }],
    ["with a byte order mark", `\ufeff${DAILY_CSV}`, { "2026-11-20": expect.objectContaining({ USD: "1.0562" }) }],
    ["other currencies, a short month", "date,AED\n1 Feb 2026,4.31", { "2026-02-01": { AED: "4.31" } }],
    [
      "the euro itself, and a Day without any rate",
      "Date,EUR,USD\n2026-11-20,1,1.1\n2026-11-19,1,N/A",
      { "2026-11-20": { USD: "1.1" } },
    ],
  ])("%s", (_, text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  test("its Days come out in order", () => {
    const file = parseRateFile(HISTORICAL_CSV);
    expect(file.ok && file.value.map(({ day }) => dateOf(day))).toEqual(["1999-01-04", "2026-11-19", "2026-11-20"]);
  });
});

describe("[RAT-1] what is no such file is refused whole, with the place", () => {
  const manyDays = Array.from({ length: RATE_FILE_DAYS_MAX + 1 }, (_, at) => `${dateOf(11_000 + at)},1`).join("\n");
  const manyCurrencies = Array.from({ length: RATE_FILE_CURRENCIES_MAX + 1 }, (_, at) =>
    String.fromCharCode(65 + Math.floor(at / 26), 65 + (at % 26), 65),
  );
  const refused: readonly (readonly [text: string, message: RegExp])[] = [
    ["", /^The file must begin with "Date"/],
    ["currency;rate\nUSD;1", /^The file must begin with "Date" .* not with "currency;rate"\.$/],
    ["Date,USD", /^The file has no rate of any Day\.$/],
    ["Date,usd\n2026-11-20,1", /^Line 1: "usd" is no ISO 4217 code/],
    ["Date,USD,USD\n2026-11-20,1,1", /^Line 1: "USD" is no ISO 4217 code, or is there twice\.$/],
    ["Date,USD\n2026-02-30,1", /^Line 2: "2026-02-30" is no date from 1999-01-01 on/],
    ["Date,USD\n1998-12-31,1", /^Line 2: "1998-12-31" is no date/],
    ["Date,USD\n31 Foo 2026,1", /^Line 2: "31 Foo 2026" is no date/],
    ["Date,USD\n2026-11-20,1\n\n20 November 2026,1", /^Line 4: 20 November 2026 is there twice\.$/],
    ["Date,USD\n2026-11-20,1,2", /^Line 2: there are more values than currencies\.$/],
    ...["0", "-1", "1e3", "0x1", "NaN", "1,5", "1.", ".5", "9".repeat(10)].map(
      (rate) => [`Date,USD\n2026-11-20,${rate}`, /^Line 2: /] as const,
    ),
    [`Date,USD\n${manyDays}`, /^The file has more than 20000 lines\.$/],
    [`Date,${manyCurrencies.join()}\n2026-11-20,1`, /^The file has more than 200 currencies\.$/],
    ["x".repeat(RATE_FILE_LENGTH_MAX + 1), /^The file has more than 16000000 characters\.$/],
    ["<!DOCTYPE html><title>Moved</title>", /^The file is XML and has no <Cube time/],
    [`<Cube>${cubes("2026-13-01", ["USD", "1"])}</Cube>`, /^2026-13-01: "2026-13-01" is no date/],
    [`<Cube>${cubes("2026-11-20", ["USD", "one"])}</Cube>`, /^2026-11-20: USD is "one"/],
    [`<Cube>${cubes("2026-11-20", ["USD", "1"], ["USD", "2"])}</Cube>`, /^2026-11-20: USD is there twice\.$/],
    ["<Cube currency='USD' rate='1'/>", /^The file: a rate stands before any date\.$/],
  ];

  test.each(refused)("%.60j", (text, message) => {
    expect(read(text)).toMatch(message);
  });

  test("[HOS-10] what a file costs to refuse is bounded by its length", () => {
    const hostile: readonly ((length: number) => string)[] = [
      (length) => "<Cube ".repeat(length / 6),
      (length) => `<Cube ${" ".repeat(length)}`,
      (length) => `<Cube ${"time".repeat(length / 4)}>`,
      (length) => `<Cube ${"rate = ".repeat(length / 7)}>`,
      (length) => `Date,USD\n2026-11-20${" ".repeat(length)},1`,
      (length) => `Date${",".repeat(length)}`,
      (length) => "\n".repeat(length),
      (length) => `${" ".repeat(length)}<`,
    ];
    for (const text of hostile) {
      const parse = (length: number) => void parseRateFile(text(length));
      expect(growthOf(parse, 1_000_000), text(40)).toBeLessThan(GROWTH_TIMES_MAX);
    }
  });

  test("[HOS-1] no text and no value makes a parser throw, and what is taken is a rate of a Day", {
    timeout: 60_000 * FUZZ,
  }, () => {
    const cell = fc.oneof(hostileText, fc.constantFrom("1.0562", "N/A", "2026-11-20", "20 November 2026", ""));
    const csv = fc
      .array(fc.array(cell, { maxLength: 4 }), { maxLength: 4 })
      .map((rows) => `Date,USD\n${rows.join("\n")}`);
    const xml = fc
      .array(fc.tuple(cell, cell, cell), { maxLength: 4 })
      .map((parts) => parts.map(([a, b, c]) => `<Cube time='${a}'><Cube currency="${b}" rate="${c}"/>`).join(""));
    fc.assert(
      fc.property(fc.oneof(csv, xml, hostileText), hostileValue, (text, value) => {
        const file = parseRateFile(text);
        if (file.ok)
          expect(file.value.every(({ perEuro }) => Object.values(perEuro).every((rate) => Number(rate) > 0))).toBe(
            true,
          );
        else expect(file.rejection.message.length).toBeLessThan(250);
        for (const given of [
          value,
          [value],
          [{ date: "2026-11-20", per_euro: value }],
          [{ currency: value, in: "EUR", rate: value, from: value }],
        ]) {
          for (const entries of [parsePublished(given, 30_000), parseOwnRates(given)])
            if (!entries.ok) expect(entries.rejection.message).toMatch(/^rates/);
        }
      }),
      { numRuns: 500 * FUZZ },
    );
  });
});

describe("rates that come by the API", () => {
  const dayMax = parseDate("2026-11-28") as number;
  test.each([
    ["x", "rates must be a list"],
    [[], "rates must have from 1 to 500 entries, not 0"],
    [[{ date: "2026-11-20" }], "rates/0/per_euro is missing"],
    [[{ date: "2026-11-20", per_euro: {}, more: 1 }], "rates/0 has a field too many; known: date, per_euro"],
    [
      [{ date: "2026-11-29", per_euro: { USD: "1" } }],
      "rates/0/date is still to come: the last Day whose rates can be known is 2026-11-28",
    ],
    [
      [{ date: "20 November 2026", per_euro: { USD: "1" } }],
      'rates/0/date must be a date from 1999-01-01 on, such as "2026-11-20"',
    ],
    [[{ date: "2026-11-20", per_euro: {} }], "rates/0/per_euro must have from 1 to 200 currencies"],
    [
      [{ date: "2026-11-20", per_euro: { EUR: "1" } }],
      "rates/0/per_euro has a name that is no ISO 4217 code of another currency than the euro",
    ],
    [
      [{ date: "2026-11-20", per_euro: { USD: 0 } }],
      'rates/0/per_euro/USD must be a decimal number above 0 as a text, such as "1.0568", or null',
    ],
    [
      [
        { date: "2026-11-20", per_euro: { USD: "1" } },
        { date: "2026-11-20", per_euro: { GBP: "1" } },
      ],
      "rates/1 is about the same as rates/0",
    ],
  ])("[RAT-5] %j is refused: %s", (rates, message) => {
    expect(parsePublished(rates, dayMax)).toMatchObject({ ok: false, rejection: { message } });
  });

  const RATE = { currency: "USD", in: "EUR", rate: "0.92", from: "2026-10-01" };
  test.each([
    [[{ ...RATE, currency: "usd" }], 'rates/0/currency must be an ISO 4217 currency such as "USD"'],
    [[{ ...RATE, in: "USD" }], "rates/0/in must be another currency than USD"],
    [
      [{ ...RATE, rate: "gone" }],
      'rates/0/rate must be a decimal number above 0 as a text, such as "1.0568", or "deployment", or null',
    ],
    [[{ ...RATE, from: 5 }], 'rates/0/from must be a date from 1999-01-01 on, such as "2026-11-20"'],
    [[RATE, { ...RATE, currency: "EUR", in: "USD", rate: "1.1" }], "rates/1 is about the same as rates/0"],
  ])("[RAT-7] %j is refused: %s", (rates, message) => {
    expect(parseOwnRates(rates)).toMatchObject({ ok: false, rejection: { message } });
  });

  test("[RAT-7] a number is taken as its digits, null takes a rate away", () => {
    const from = parseDate("2026-10-01");
    expect(parseOwnRates([{ ...RATE, rate: 0.92 }])).toEqual({ ok: true, value: [{ ...RATE, from }] });
    expect(parseOwnRates([{ ...RATE, rate: null }])).toEqual({ ok: true, value: [{ ...RATE, from, rate: null }] });
  });
});

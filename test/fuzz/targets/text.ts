// Small readers of texts: files and tables of rates, tracking IDs, dates, Base64, numbers as JSON writes them,
// merchants' rules, and the places at which a page of a list begins.

import { createHmac } from "node:crypto";
import { bundleKey, deadLetterKey, parseBundleKey, parseDeadLetterKey } from "../../../core/archive/object-key.ts";
import { exclusionsOf, matchersOf } from "../../../core/enrichment/matcher.ts";
import { decodeBase64 } from "../../../core/formats/base64.ts";
import { parseJson, readTimestamp } from "../../../core/formats/field.ts";
import { mayLoseDigits, quoteNumbers } from "../../../core/formats/written-number.ts";
import { RATE_DAY_MIN, RATE_FILE_CURRENCIES_MAX, RULES_LENGTH_MAX } from "../../../core/limits.ts";
import { isCurrencyShaped, isRateText, parseRateFile } from "../../../core/rate-file.ts";
import { parseOwnRates, parsePublished } from "../../../core/rate-parser.ts";
import { parseRules } from "../../../core/rule-parser.ts";
import { dateOf, parseDate } from "../../../core/time.ts";
import { encodeTrackingId, isTrackingIdShaped, type Sign, verifyTrackingId } from "../../../core/tracking-id.ts";
import { isNoId } from "../../../core/visitor-id.ts";
import { decodeResume, encodeResume } from "../../../scripts/import/resume.ts";
import { parseHostname } from "../../../storage/hostname.ts";
import { encodeDayCursor, parseDayCursor } from "../../../workers/query/day-cursor.ts";
import {
  CURSOR,
  DATE,
  FILTERS_PARAMETER,
  INSTANT,
  NAME,
  TEXT,
  TIME_ZONE,
  wholeNumber,
} from "../../../workers/query/field.ts";
import { expectSame, expectThat, jsonOf, type Target } from "../target.ts";

const TEXT_FIELD = { text: "text" } as const;
const STEPS = { fixed: 5_000, perCharacter: 200 };
const NOW = 1_795_262_400_000;
const TODAY = 20_778;

export const targets: readonly Target[] = [
  {
    name: "text-rate-file",
    fields: { text: "lines" },
    words: [
      "Date,",
      "USD",
      "N/A",
      "<Cube time='2026-11-20'>",
      "<Cube currency='USD' rate='1.1'/>",
      "</Cube>",
      "20 November 2026",
    ],
    seeds: () =>
      [
        "Date, USD, JPY, BGN, \n20 November 2026, 1.0562, 164.18, 1.9558, \n",
        "Date,USD,JPY,CYP,\r\n2026-11-20,1.0562,164.18,N/A,\r\n1999-01-04,1.1789,133.73,0.58231,\r\n",
        `<Envelope><Cube><Cube time="2026-11-20"><Cube currency='USD' rate='1.0562'/><Cube currency='JPY' rate='164.18'/></Cube></Cube></Envelope>`,
      ].map((text) => ({ text })),
    lengthMax: 4_000,
    steps: STEPS,
    run: ({ text = "" }) => runRateFile(text),
  },
  {
    name: "text-rates",
    fields: { text: "json" },
    words: ["USD", "EUR", "per_euro", "currency", "rate", "from", "in", "deployment"],
    seeds: () =>
      [
        [{ date: "2026-11-20", per_euro: { USD: "1.0568", JPY: 164.2, GBP: null } }],
        [{ currency: "USD", in: "EUR", rate: "0.95", from: "2026-01-01" }],
        [{ currency: "USD", in: "EUR", rate: null, from: "2026-01-01" }],
      ].map((value) => ({ text: JSON.stringify(value) })),
    lengthMax: 3_000,
    steps: STEPS,
    run: ({ text = "" }) => runRates(jsonOf(text)),
  },
  {
    name: "text-rules",
    fields: { rules: "json", address: "text" },
    words: [
      "bots",
      "referrers",
      "returns",
      "addresses",
      "asns",
      "hostnames",
      "paths",
      "channels",
      "goals",
      "orders",
      "keyed_only",
    ],
    seeds: () => [
      {
        rules: JSON.stringify({
          bots: { drop: ["*curl*"], admit: ["*Shop*"] },
          referrers: { drop: ["spam.example"] },
          returns: { admit: ["paypal.com"] },
          addresses: [{ name: "office", networks: ["203.0.113.0/24", "2001:db8::/32"] }],
          asns: { drop: [64500] },
          hostnames: ["M\u00fcller.example"],
          paths: { strip_ids: true, keep_query: ["id"], replace: [{ match: "/a/*", page: "/a" }] },
          channels: [{ channel: "Newsletter", source: "news*" }],
          goals: [{ name: "Signup", event: "sign*", page: "/thanks*" }],
          orders: { keyed_only: true },
        }),
        address: "203.0.113.9",
      },
    ],
    lengthMax: 4_000,
    steps: { fixed: 30_000, perCharacter: 300 },
    run: ({ rules = "", address = "" }) => runRules(jsonOf(rules), address),
  },
  {
    name: "text-tracking-id",
    fields: TEXT_FIELD,
    words: ["G-", "-8", "0000002a-0001-8d3f-9c1e-5b7a90f4e2d1"],
    seeds: () => [
      { text: encodeTrackingId({ merchant: 42, stream: 1 }, SIGN) },
      { text: `G-${encodeTrackingId({ merchant: 4_294_967_295, stream: 65_535 }, SIGN).toUpperCase()}` },
    ],
    lengthMax: 200,
    steps: STEPS,
    run: ({ text = "" }) => runTrackingId(text),
  },
  {
    name: "text-number",
    fields: { text: "json" },
    words: ["1e400", "12345678901234567890", '"\\"', "-0.0"],
    seeds: () =>
      ['{"id":12345678901234567890,"a":[1e400,-0.0,1.50],"b":"1e400\\""}', "[9007199254740993]", "1e5"].map((text) => ({
        text,
      })),
    lengthMax: 2_000,
    steps: STEPS,
    run: ({ text = "" }) => runNumber(text),
  },
  {
    name: "text-small",
    fields: { text: "text", digits: "text" },
    words: [
      "2026-11-21",
      "T12:00:00Z",
      "+05:30",
      "events/date=",
      "/partition=pool-0/",
      ".parquet",
      "dead-letter/",
      "pool-0",
      "{{",
    ],
    seeds: () =>
      [
        ["2026-11-21T12:00:00.5+05:30", "eyJhIjoxfQ=="],
        ["events/date=2026-11-21/partition=pool-3/0000000001001.parquet", "4oKs"],
        ["dead-letter/footfall-archive/9f86d081", "1795262400000"],
        ["2026-11-21/pool-3", "Europe/Berlin"],
        ['[["is","event:page",["/"]]]', "undefined"],
        ['{"salt":"x","places":{"a":{"line":3,"chain":"c"}}}', "%USER_ID%"],
      ].map(([text = "", digits = ""]) => ({ text, digits })),
    lengthMax: 1_500,
    steps: STEPS,
    run: ({ text = "", digits = "" }) => {
      runDates(text);
      runKeys(text);
      runCursors(text);
      runBase64(digits);
      expectThat(typeof isNoId(text) === "boolean", "an id is neither one nor none");
    },
  },
];

function runRateFile(text: string): void {
  const file = parseRateFile(text);
  if (!file.ok) {
    expectThat(file.rejection.message.length < 300, "a refusal repeats the file");
    return;
  }
  let before = 0;
  for (const { day, perEuro } of file.value) {
    expectThat(day >= RATE_DAY_MIN && day > before, "Days do not ascend");
    before = day;
    const rates = Object.entries(perEuro);
    expectThat(rates.length > 0 && rates.length <= RATE_FILE_CURRENCIES_MAX, "a Day has too few or too many rates");
    for (const [currency, rate] of rates)
      expectThat(isCurrencyShaped(currency) && isRateText(rate) && Number(rate) > 0, `${currency} is ${rate}`);
  }
  const currencies = [...new Set(file.value.flatMap(({ perEuro }) => Object.keys(perEuro)))];
  if (currencies.length > RATE_FILE_CURRENCIES_MAX) return; // a file in XML may have others each Day
  const lines = file.value.map(({ day, perEuro }) =>
    [dateOf(day), ...currencies.map((currency) => perEuro[currency] ?? "N/A")].join(","),
  );
  const again = parseRateFile([["Date", ...currencies].join(","), ...lines].join("\n"));
  expectThat(again.ok, `rates that were read cannot be read again: ${again.ok ? "" : again.rejection.message}`);
  for (const [index, { day, perEuro }] of file.value.entries()) {
    expectSame(again.value[index]?.day, day, "a Day is another one when it is read again");
    expectSame(
      Object.entries(again.value[index]?.perEuro ?? {}).sort(),
      Object.entries(perEuro).sort(),
      "rates are other ones when they are read again",
    );
  }
}

function runRates(value: unknown): void {
  const published = parsePublished(value, TODAY);
  if (published.ok)
    for (const { day, perEuro } of published.value) {
      expectThat(day >= RATE_DAY_MIN && day <= TODAY, "a Day is out of bounds");
      for (const rate of Object.values(perEuro)) expectThat(rate === null || isRateText(rate), `a rate is ${rate}`);
    }
  const own = parseOwnRates(value);
  if (!own.ok) expectThat(own.rejection.message.length < 400, "a refusal repeats the rates");
}

function runRules(value: unknown, address: string): void {
  const rules = parseRules(value, parseHostname);
  if (!rules.ok) {
    expectThat(
      rules.rejection.message.startsWith("rules") && rules.rejection.message.length < 600,
      "a refusal has no place",
    );
    return;
  }
  const text = JSON.stringify(rules.value);
  expectThat(text.length <= RULES_LENGTH_MAX, "rules are too long");
  const again = parseRules(JSON.parse(text), parseHostname);
  expectThat(again.ok, `rules that were taken are refused: ${again.ok ? "" : again.rejection.message}`);
  expectSame(again.value, rules.value, "rules that were taken are other ones when they are read again");
  const inForce = { own: rules.value, global: rules.value };
  matchersOf(inForce);
  const excluded = exclusionsOf(address, inForce);
  expectThat(excluded === "" || typeof excluded === "string", "an exclusion is no text");
}

const SIGN: Sign = (message) => createHmac("sha256", "secret").update(message).digest();

function runTrackingId(text: string): void {
  const id = verifyTrackingId(text, [SIGN]);
  if (id === undefined) return;
  expectThat(isTrackingIdShaped(text), "what was verified has not the shape");
  const spelt = encodeTrackingId(id, SIGN);
  expectSame(
    text.toLowerCase().replace(/^g-/, "").replaceAll("-", ""),
    spelt.replaceAll("-", ""),
    "another text verifies",
  );
}

function runNumber(text: string): void {
  const value = jsonOf(text);
  if (value === undefined) {
    expectThat(!parseJson(text).ok, "a body is JSON that is none");
    return;
  }
  const quoted = quoteNumbers(text);
  expectThat(
    mayLoseDigits(text) || quoted === text || !/[:,[]/.test(text),
    "numbers are quoted that nobody looked for",
  );
  expectThat(jsonOf(quoted) !== undefined, `quoted numbers are no JSON: ${quoted}`);
  expectSame(quoteNumbers(quoted), quoted, "numbers are quoted twice");
  checkNumbers(jsonOf(quoted));
  const read = parseJson(text);
  expectThat(read.ok, "a body of JSON is none");
}

/** Every number that is left is the one that was written, so it is finite. */
function checkNumbers(value: unknown): void {
  if (typeof value === "number")
    expectThat(Math.abs(value) <= Number.MAX_SAFE_INTEGER, `the number ${value} has lost its digits`);
  else if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) checkNumbers(inner);
}

function runDates(text: string): void {
  const day = parseDate(text);
  if (day !== undefined) expectSame(dateOf(day), text, "a date is another one");
  const instant = readTimestamp("timestamp", text, NOW);
  if (instant.ok && instant.value !== undefined)
    expectThat(Number.isSafeInteger(instant.value) && instant.value <= NOW + 600_000, `an instant is ${instant.value}`);
  if (!instant.ok) expectThat(instant.rejection.message.length < 300, "a refusal repeats the time");
  for (const field of [INSTANT, DATE]) {
    const value = field.parse(text);
    expectThat(value === undefined || Number.isSafeInteger(value), `a field is ${value}`);
  }
}

function runKeys(text: string): void {
  const name = parseBundleKey(text);
  if (name !== undefined) expectSame(bundleKey(name), text, "a key of an object is another one");
  const letter = parseDeadLetterKey(text);
  if (letter !== undefined) expectSame(deadLetterKey(letter), text, "a key of a dead letter is another one");
}

/** What a page of a list begins after. */
function runCursors(text: string): void {
  const cursor = CURSOR.parse(text);
  if (cursor !== undefined) {
    const place = parseDayCursor(cursor);
    if (place !== undefined)
      expectSame(parseDayCursor(encodeDayCursor(place)), place, "a place in a list is another one");
  }
  const number = wholeNumber(1, Number.MAX_SAFE_INTEGER).parse(text);
  expectThat(number === undefined || Number.isSafeInteger(number), `a number is ${number}`);
  FILTERS_PARAMETER.parse(text);
  TIME_ZONE.parse(text);
  for (const field of [NAME, TEXT]) {
    const value = field.parse(text);
    if (value !== undefined) expectSame(field.parse(value), value, "a field is another one when it is read again");
  }
  const resume = decodeResume(text);
  if (resume !== undefined) expectSame(decodeResume(encodeResume(resume)), resume, "a place in a file is another one");
}

function runBase64(text: string): void {
  const decoded = decodeBase64(text);
  if (decoded === undefined) return;
  const again = Buffer.from(decoded, "utf8").toString("base64");
  expectSame(decodeBase64(again), decoded, "Base64 is another text when it is read again");
  expectSame(
    Buffer.from(text.replace(/=+$/, ""), "base64").toString("utf8"),
    decoded,
    "Base64 is another text for Node",
  );
}

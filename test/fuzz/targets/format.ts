// Every way into the collector: whatever comes in, a format answers drafts within their bounds, or refusals with words;
// its own answer is one that HTTP can carry; and what becomes of a draft survives the log.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decodeEvent, type Event, encodeEvent, NO_FACTS } from "../../../core/event.ts";
import { clean, TEXT_RULES, type TextName } from "../../../core/formats/field.ts";
import type { Answer } from "../../../core/formats/hit-reply.ts";
import { withoutSlashes } from "../../../core/formats/path.ts";
import { PRODUCT_NUMBERS, PRODUCT_TEXTS } from "../../../core/formats/product.ts";
import { ROUTES, type Route } from "../../../core/formats/route.ts";
import { BLANK_HIT, type Draft, type Hit } from "../../../core/hit.ts";
import {
  ENGAGEMENT_MS_MAX,
  HOSTNAME_LENGTH_MAX,
  PRODUCT_NUMBER_MAX,
  PRODUCT_TEXT_LENGTH_MAX,
  PRODUCTS_COUNT_MAX,
  PRODUCTS_LENGTH_MAX,
  PROP_KEY_LENGTH_MAX,
  PROP_VALUE_LENGTH_MAX,
  PROPS_COUNT_MAX,
  REQUEST_EVENTS_MAX,
  REVENUE_MAX,
  TIMESTAMP_AHEAD_MS,
  TIMESTAMP_MIN_MS,
  URL_LENGTH_MAX,
  USER_AGENT_LENGTH_MAX,
} from "../../../core/limits.ts";
import { isCurrency } from "../../../core/merchant.ts";
import { accepted, type Outcome, REJECTION_CODES } from "../../../core/outcome.ts";
import { EMPTY_REPORT } from "../../../core/report.ts";
import { STREAM_NUMBER_MAX } from "../../../core/tracking-id.ts";
import { expectSame, expectThat, type Input, type Target } from "../target.ts";

/** 2026-11-21T12:00:00Z. */
const NOW = 1_795_262_400_000;
const REQUEST_ID = "01990000-0000-7000-8000-000000000000";

const CHROME =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

interface Example {
  readonly path: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Bodies that are JSON are changed as such; those of forms and lines become texts all the same. */
const FIELDS = { path: "text", query: "query", body: "json", headers: "lines" } as const;

export const targets: readonly Target[] = ROUTES.map((route) => ({
  name: `format-${nameOf(route)}`,
  fields: FIELDS,
  words: ["data=", "keyed", CHROME, "0000002a-0001-8d3f-9c1e-5b7a90f4e2d1"],
  seeds: (root) => seedsOf(route, root),
  lengthMax: 6_000,
  steps: { fixed: 100_000, perCharacter: 400 },
  run: (input) => runRoute(route, input),
}));

function nameOf({ paths }: Route): string {
  return (paths[0] as string).replace(/^\//, "").replaceAll(/[^a-z0-9.]+/g, "-");
}

/** Examples of the same folder of test/golden/formats: what is sent to one path is a body for its neighbours too. */
function seedsOf({ paths }: Route, root: string): readonly Input[] {
  const folder = join(root, "test/golden/formats");
  const patterns = paths.map((path) => new RegExp(`^${path.replaceAll(".", "\\.").replace(/:\w+/, "[^/]+")}$`));
  const found = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".request.json"))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Example)
    .filter(({ path }) => patterns.some((pattern) => pattern.test(withoutSlashes(path))))
    .map(toInput);
  return found.length > 0 ? found : [{ path: paths[0] as string, query: "", body: "{}", headers: CHROME }];
}

function toInput({ path, query = "", headers = {}, body = "" }: Example): Input {
  const keyed = headers["authorization"]?.startsWith("Bearer ") ? "keyed" : "";
  const names = ["user-agent", "referer", "accept-language", "x-forwarded-for", "if-modified-since", "origin"];
  return {
    path,
    query,
    body: typeof body === "string" ? body : JSON.stringify(body),
    headers: [...names.map((name) => headers[name] ?? ""), headers["authorization"] ?? "", keyed].join("\n"),
  };
}

/** Headers are cut and cleaned before a format sees them, as the collector does (workers/collector/client.ts). */
function toHit({ path = "", query = "", body = "", headers = "" }: Input): Hit {
  const lines = headers.split("\n");
  const header = (index: number, lengthMax: number) => clean((lines[index] ?? "").slice(0, lengthMax));
  return {
    ...BLANK_HIT,
    ...{ path, query, body },
    userAgent: header(0, USER_AGENT_LENGTH_MAX),
    referrer: header(1, URL_LENGTH_MAX),
    acceptLanguage: header(2, 100),
    forwardedFor: header(3, 1_000),
    ifModifiedSince: header(4, 100),
    origin: header(5, URL_LENGTH_MAX),
    basicUser: header(6, 400),
    keyed: lines[7] === "keyed",
    receivedAt: NOW,
  };
}

function runRoute(route: Route, input: Input): void {
  const hit = toHit(input);
  if ("reply" in route) {
    checkAnswer(route.reply(hit));
    return;
  }
  const drafts = route.format.parse(hit);
  checkDrafts(drafts);
  const rejected = drafts.ok
    ? drafts.value.flatMap((draft, index) => (draft.ok ? [] : [{ index, ...draft.rejection }]))
    : [];
  const report = { ...EMPTY_REPORT, accepted: drafts.ok ? drafts.value.length - rejected.length : 0, rejected };
  const outcome = drafts.ok ? accepted(report) : drafts;
  checkAnswer(route.format.answer({ hit, outcome, requestId: REQUEST_ID }));
}

const STATUSES = [200, 202, 204, 304, 400, 401, 403, 413, 415, 429, 503];

function checkAnswer({ status, headers, body }: Answer): void {
  expectThat(STATUSES.includes(status), `the status ${status} is none of a collector`);
  for (const [name, value] of Object.entries(headers))
    expectThat(/^[\t\x20-\x7e]*$/.test(value), `the header ${name} cannot be sent: ${JSON.stringify(value)}`);
  expectThat(body.length < 1_000_000, "an answer is longer than any request");
  if (typeof body === "string") expectThat(body.isWellFormed(), "an answer has a lone surrogate");
}

function checkDrafts(drafts: Outcome<readonly Outcome<Draft>[]>): void {
  if (!drafts.ok) {
    checkRejection(drafts);
    return;
  }
  expectThat(drafts.value.length <= REQUEST_EVENTS_MAX, "a request has too many events");
  for (const draft of drafts.value) {
    if (draft.ok) checkDraft(draft.value);
    else checkRejection(draft);
  }
}

function checkRejection(outcome: Outcome<unknown>): void {
  if (outcome.ok) return;
  const { code, message } = outcome.rejection;
  expectThat(REJECTION_CODES.includes(code), `the code ${code} is not known`);
  expectThat(message.length > 10 && message.length < 500, `a refusal has ${message.length} characters`);
  expectThat(isClean(message), `a refusal repeats what no text should hold: ${JSON.stringify(message)}`);
}

/** Texts of a draft that are not in TEXT_RULES, and their bounds. */
const OTHER_TEXTS = { site: HOSTNAME_LENGTH_MAX, apiKey: HOSTNAME_LENGTH_MAX, currency: 3 } as const;

function checkDraft(draft: Draft): void {
  for (const [name, { lengthMax }] of Object.entries(TEXT_RULES)) checkText(draft, name as TextName, lengthMax);
  for (const [name, lengthMax] of Object.entries(OTHER_TEXTS))
    checkText(draft, name as keyof typeof OTHER_TEXTS, lengthMax);
  checkText(draft, "props", PROPS_COUNT_MAX * (PROP_KEY_LENGTH_MAX + PROP_VALUE_LENGTH_MAX + 6) * 2);
  checkText(draft, "products", PRODUCTS_LENGTH_MAX);
  expectThat(draft.name !== "", "a draft has no name");
  checkNumber(draft, "stream", [0, STREAM_NUMBER_MAX]);
  checkNumber(draft, "revenue", [-REVENUE_MAX, REVENUE_MAX]);
  checkNumber(draft, "engagementMs", [0, ENGAGEMENT_MS_MAX]);
  checkNumber(draft, "scroll", [-1, 100]);
  checkNumber(draft, "passive", [0, 1]);
  checkNumber(draft, "fragment", [0, 1]);
  const { timestamp = NOW, currency, screen } = draft;
  checkNumber({ timestamp }, "timestamp", [TIMESTAMP_MIN_MS, NOW + TIMESTAMP_AHEAD_MS]);
  expectThat(currency === "" || isCurrency(currency), `the currency is ${JSON.stringify(currency)}`);
  expectThat(screen === "" || /^\d{1,5}x\d{1,5}$/.test(screen), `the screen is ${JSON.stringify(screen)}`);
  checkProps(draft.props);
  checkProducts(draft.products);
  checkLog(draft);
}

function checkText<Name extends string>(draft: Readonly<Record<Name, string>>, name: Name, lengthMax: number): void {
  const text = draft[name];
  expectThat(typeof text === "string", `${name} is no text`);
  expectThat(text.length <= lengthMax, `${name} has ${text.length} characters, where ${lengthMax} are the most`);
  expectThat(isClean(text), `${name} has what no text should hold: ${JSON.stringify(text)}`);
}

function isClean(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that must be gone
  return text.isWellFormed() && !/[\u0000-\u001f\u007f]/.test(text);
}

function checkNumber<Name extends string>(
  draft: Readonly<Record<Name, number>>,
  name: Name,
  [min, max]: readonly [number, number],
): void {
  const number = draft[name];
  const holds = Number.isSafeInteger(number) && number >= min && number <= max && !Object.is(number, -0);
  expectThat(holds, `${name} is ${Object.is(number, -0) ? "-0" : number}`);
}

function checkProps(text: string): void {
  if (text === "") return;
  const entries = Object.entries(JSON.parse(text) as Record<string, unknown>);
  expectThat(entries.length > 0 && entries.length <= PROPS_COUNT_MAX, `there are ${entries.length} properties`);
  for (const [key, value] of entries) {
    expectThat(typeof value === "string" && value.length <= PROP_VALUE_LENGTH_MAX, "a property is no text in bounds");
    expectThat(key !== "" && key.length <= PROP_KEY_LENGTH_MAX, "a property's name is out of bounds");
    expectThat(isClean(key) && isClean(value), "a property has what no text should hold");
  }
}

const PRODUCT_KEYS: readonly string[] = [...PRODUCT_TEXTS, ...PRODUCT_NUMBERS];

function checkProducts(text: string): void {
  if (text === "") return;
  const products = JSON.parse(text) as readonly Readonly<Record<string, unknown>>[];
  expectThat(products.length > 0 && products.length <= PRODUCTS_COUNT_MAX, `there are ${products.length} products`);
  for (const product of products) {
    expectThat(Object.keys(product).length > 0, "a product says nothing");
    for (const [key, value] of Object.entries(product)) {
      expectThat(PRODUCT_KEYS.includes(key), `a product has ${key}`);
      if (typeof value === "number")
        expectThat(Math.abs(value) <= PRODUCT_NUMBER_MAX && !Object.is(value, -0), `a product's ${key} is ${value}`);
      else
        expectThat(typeof value === "string" && value.length <= PRODUCT_TEXT_LENGTH_MAX, `a product's ${key} is long`);
    }
  }
}

/** What becomes of it is the same event after the log, whose rows are JSON. */
function checkLog(draft: Draft): void {
  const { trackingId, site, apiKey, visitorId, claimedAddress, claimedUserAgent, timestamp = NOW, ...facts } = draft;
  const event: Event = {
    ...NO_FACTS,
    ...facts,
    ...{ merchant: 42, timestamp, receivedAt: NOW, visitor: visitorId, format: "native", dropped: "" },
    ...{ country: "", region: "", city: "" },
  };
  const logged = decodeEvent(JSON.parse(JSON.stringify(encodeEvent(event))) as (string | number)[]);
  for (const [name, value] of Object.entries(event))
    expectSame(logged[name as keyof Event], value, `${name} is another one after the log`);
}

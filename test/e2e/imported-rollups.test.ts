// What Plausible has counted by the Day, brought in by the command line as a zip that is made up here, beside a Day
// that was counted by Footfall. Answers are compared with sums over the rows that the zip was made from, and with what
// was answered before: an undo restores every number.

import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { strToU8, zipSync } from "fflate";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { CHROME } from "../support/events.ts";
import { Client, type Merchant, startServices, until, untilArchived } from "../support/services.ts";

// Each test runs a command or more, and each command is a process of its own.
vi.setConfig({ testTimeout: 240_000 });

const run = promisify(execFile);
const SCRIPT = join(import.meta.dirname, "../../scripts/footfall.ts");
const IMPORT_DOC = join(import.meta.dirname, "../../docs/import.md");
const DATES = Array.from({ length: 9 }, (_, at) => new Date(Date.UTC(2026, 8, 28 + at)).toISOString().slice(0, 10));
const RANGE = [DATES[0], "2026-10-08"] as const;
/** Plausible and Footfall both counted on this Day. */
const BOTH = "2026-10-05";

/** A Day's numbers of one value, as Plausible sums them. */
interface Counted {
  readonly date: string;
  readonly visitors: number;
  readonly visits: number;
  readonly pageviews: number;
  readonly bounces: number;
  readonly seconds: number;
}

const common = (at: number, of: number) => ({
  date: DATES[at] as string,
  visitors: 10 + at * of,
  visits: 12 + at * of,
  pageviews: 30 + 2 * at * of,
  bounces: 3 + at,
  seconds: 600 + 7 * at * of,
});
const TOTALS: readonly Counted[] = DATES.map((_, at) => common(at, 5));
const SOURCES = DATES.flatMap((_, at) => [
  { ...common(at, 1), source: "Google", campaign: "", shown: "Google" },
  { ...common(at, 2), source: "Direct / None", campaign: "", shown: "Direct / None" },
  { ...common(at, 1), source: "Google", campaign: "autumn", shown: "Google" },
]);
const PAGES = DATES.flatMap((_, at) => [
  { ...common(at, 2), page: "/" },
  { ...common(at, 1), page: "/%C3%BCber" },
]);
const COUNTRIES = DATES.flatMap((_, at) => [
  { ...common(at, 1), country: "AT" },
  { ...common(at, 2), country: "DE" },
]);
const EVENTS = DATES.map((date, at) => ({ date, name: "Sign, up", visitors: 2 + at, events: 3 + at }));

const numbersOf = ({ visitors, visits, pageviews, bounces, seconds }: Counted) =>
  [visitors, visits, pageviews, bounces, seconds].join(",");
const OF_VISITS = "visitors,visits,pageviews,bounces,visit_duration";

/** As Plausible names and writes them; columns in an order of their own. */
const FILES: Readonly<Record<string, string>> = {
  imported_visitors: csv(
    `date,${OF_VISITS}`,
    TOTALS.map((row) => `${row.date},${numbersOf(row)}`),
  ),
  imported_sources: csv(
    `date,source,referrer,utm_source,utm_medium,utm_campaign,utm_content,utm_term,pageviews,visitors,visits,visit_duration,bounces`,
    SOURCES.map(({ date, source, campaign, ...n }) =>
      [date, source, "", "", "", campaign, "", "", n.pageviews, n.visitors, n.visits, n.seconds, n.bounces].join(","),
    ),
  ),
  imported_pages: csv(
    "date,hostname,page,visits,visitors,pageviews,total_scroll_depth,total_scroll_depth_visits",
    PAGES.map(({ date, page, ...n }) => `${date},shop.example,${page},${n.visits},${n.visitors},${n.pageviews},50,1`),
  ),
  imported_entry_pages: csv(
    "date,entry_page,visitors,entrances,visit_duration,bounces,pageviews",
    PAGES.map(
      ({ date, page, ...n }) => `${date},${page},${n.visitors},${n.visits},${n.seconds},${n.bounces},${n.pageviews}`,
    ),
  ),
  imported_locations: csv(
    `date,country,region,city,${OF_VISITS}`,
    COUNTRIES.map((row) => `${row.date},${row.country},${row.country}-9,2761369,${numbersOf(row)}`),
  ),
  imported_custom_events: csv(
    "date,name,link_url,path,visitors,events",
    EVENTS.map(({ date, name, visitors, events }) => `${date},"${name}",,,${visitors},${events}`),
  ),
};

function csv(header: string, rows: readonly string[]): string {
  return `${[header, ...rows].join("\n")}\n`;
}

let services: Awaited<ReturnType<typeof startServices>>;
let shop: Merchant;
let own: Client;
let before: readonly unknown[];
const folder = mkdtempSync(join(tmpdir(), "footfall-rollups-"));
const file = join(folder, "shop_example_20261006.zip");

beforeAll(async () => {
  services = await startServices();
  const { client } = services;
  shop = await client.createMerchant("UTC");
  const path = `/api/v1/merchants/${shop.id}/keys`;
  const key = (await client.admin("POST", path, { name: "runs it", scope: "admin" })) as { readonly api_key: string };
  own = new Client(client, key.api_key);
  const entries = Object.entries(FILES).map(([name, text]) => [`${name}_20260928_20261006.csv`, strToU8(text)]);
  writeFileSync(file, zipSync(Object.fromEntries(entries), { level: 0 }));
  const events = Array.from({ length: 14 }, (_, index) => ({
    visitor_id: `native ${index % 4}`,
    url: "https://shop.example/",
    user_agent: CHROME,
    timestamp: Date.parse(`${index < 10 ? BOTH : "2026-10-07"}T08:00:00Z`) + index * 1_000,
  }));
  await client.send({ tracking_id: shop.tracking_id, events });
  await untilArchived(client);
  await until(
    async () => (await ask({ metrics: ["events"], dimensions: ["time:day"] })).results,
    (results) => results.length === 2,
  );
  before = await numbers();
}, 240_000);
afterAll(async () => {
  await services?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The rows of Days that were not counted here. */
const left = <Row extends { readonly date: string }>(rows: readonly Row[]) => rows.filter(({ date }) => date !== BOTH);
const sum = <Row>(rows: readonly Row[], of: (row: Row) => number) => rows.reduce((all, row) => all + of(row), 0);

test("[IMR-3] [IMR-9] a preview shows the tables, their sums and the Days that are counted here, and sends nothing", async () => {
  const { stdout } = await footfall("import", file, "--preview");
  expect(stdout).toMatch(/visitors 9, sources 27, pages 18, entry_pages 18, custom_events 9, locations 18/);
  expect(stdout).toMatch(new RegExp(`visitors in visitors +${sum(TOTALS, ({ visitors }) => visitors)}`));
  expect(stdout).toMatch(new RegExp(`on ${BOTH} 10 events are counted here: these Days are not shown from the file`));
  expect(await listed()).toEqual([]);
});

test("[IMR-2] [IMR-4] a zip becomes an import of rollups, and answers include it, to the unit", async () => {
  const { stdout } = await footfall("import", file);
  expect(stdout).toMatch(/import 1; take it back with: footfall import undo 1/);
  expect(await listed()).toMatchObject([
    { number: 1, kind: "rollups", source: "plausible", state: "done", from: DATES[0], to: DATES.at(-1), events: 99 },
  ]);
  const rows = left(TOTALS);
  const metrics = ["visitors", "visits", "pageviews", "bounce_rate", "visit_duration", "events"];
  const total = await ask({ metrics });
  const visits = sum(rows, (row) => row.visits) + 8; // 4 visitors on each of two Days
  const pageviews = sum(rows, (row) => row.pageviews) + 14;
  expect(total.results[0]?.metrics).toEqual([
    sum(rows, (row) => row.visitors) + 4, // first-party ids are known on both Days
    visits,
    pageviews,
    Math.round((100 * (sum(rows, (row) => row.bounces) + 4)) / visits),
    expect.any(Number),
    pageviews + sum(left(EVENTS), ({ events }) => events),
  ]);
  const byDay = await ask({ metrics: ["visitors", "pageviews"], dimensions: ["time:day"] });
  expect(Object.fromEntries(byDay.results.map(({ dimensions, metrics: own }) => [dimensions[0], own]))).toEqual({
    ...Object.fromEntries(rows.map(({ date, visitors, pageviews: views }) => [date, [visitors, views]])),
    [BOTH]: [4, 10],
    "2026-10-07": [4, 4],
  });
  const by = async (dimension: string, own = ["pageviews"]) => {
    const { results } = await ask({ metrics: own, dimensions: [dimension] });
    return Object.fromEntries(results.map(({ dimensions, metrics: all }) => [dimensions[0], all]));
  };
  const views = <Row extends { readonly date: string; readonly pageviews: number }>(
    all: readonly Row[],
    is: (row: Row) => boolean,
  ) => sum(left(all).filter(is), (row) => row.pageviews);
  expect(await by("visit:source")).toEqual({
    Google: [views(SOURCES, ({ shown }) => shown === "Google")],
    "Direct / None": [views(SOURCES, ({ shown }) => shown === "Direct / None") + 14],
  });
  expect(await by("visit:utm_campaign")).toEqual({
    autumn: [views(SOURCES, ({ campaign }) => campaign === "autumn")],
    "(not set)": [views(SOURCES, ({ campaign }) => campaign === "") + 14],
  });
  expect(await by("visit:country")).toMatchObject({ AT: [views(COUNTRIES, ({ country }) => country === "AT")] });
  const pages = await by("event:page", ["pageviews", "bounces"]);
  expect(pages["/über"]).toEqual([
    views(PAGES, ({ page }) => page !== "/"),
    sum(
      left(PAGES).filter(({ page }) => page !== "/"),
      ({ bounces }) => bounces,
    ),
  ]);
  expect((await by("event:name", ["events"]))["Sign, up"]).toEqual([sum(left(EVENTS), ({ events }) => events)]);
  const google = { filters: [["is", "visit:source", ["Google"]]] };
  expect((await ask({ metrics: ["visits"], ...google })).results[0]?.metrics).toEqual([
    sum(
      left(SOURCES).filter(({ shown }) => shown === "Google"),
      (row) => row.visits,
    ),
  ]);
  const weeks = await ask({ metrics: ["visits"], dimensions: ["time:week"] });
  expect(sum(weeks.results, ({ metrics: [own] }) => Number(own))).toBe(visits);
});

test("[IMR-5] answers say which Days are imported, what is a sum, and what no import knows", async () => {
  const { meta } = await ask({ metrics: ["visitors", "total_revenue"] });
  expect(meta).toMatchObject({
    imports_included: true,
    imports: {
      days: [
        [DATES[0], "2026-10-04"],
        ["2026-10-06", "2026-10-06"],
      ],
      of: [{ number: 1, source: "plausible" }],
      estimated: ["visitors"],
      without: ["total_revenue"],
    },
    visitors: { exact: false },
  });
  const { results } = await ask({ metrics: ["visitors", "total_revenue"], dimensions: ["time:day"] });
  const revenue = new Map(results.map(({ dimensions, metrics: [, own] }) => [dimensions[0], own]));
  expect([revenue.get(DATES[0] as string), revenue.get(BOTH)]).toEqual([null, expect.objectContaining({ value: 0 })]);
  // Where the range has none, nothing is said.
  const none = await ask({ metrics: ["visitors"], date_range: ["2026-10-07", "2026-10-08"] });
  expect(none.meta).not.toHaveProperty("imports");
  expect(none.meta).not.toHaveProperty("imports_included");
});

test("[IMR-6] what imports cannot answer is answered without them, for the reason that Plausible's API names", async () => {
  const asked: readonly (readonly [question: Record<string, unknown>, reason: string])[] = [
    [{ metrics: ["pageviews"], dimensions: ["time:hour"] }, "unsupported_interval"],
    [{ metrics: ["visitors"], dimensions: ["visit:country", "visit:source"] }, "unsupported_query"],
    [
      { metrics: ["visitors"], filters: [["is", "visit:country", ["AT"]]], dimensions: ["visit:source"] },
      "unsupported_query",
    ],
    [{ metrics: ["visitors"], dimensions: ["visit:language"] }, "unsupported_query"],
    [{ metrics: ["visitors"], dimensions: ["visit:device"] }, "unsupported_query"], // the zip had no such file
    [{ metrics: ["scroll_depth"], dimensions: ["event:page"] }, "unsupported_query"],
    [{ metrics: ["visitors"], accuracy: "exact" }, "unsupported_query"],
    [{ metrics: ["orders"] }, "unsupported_query"],
  ];
  for (const [question, reason] of asked) {
    const { meta, results } = await ask(question);
    expect([question, meta]).toEqual([
      question,
      expect.objectContaining({
        imports_included: false,
        imports_skip_reason: reason,
        imports_warning: expect.stringMatching(/^Imported Days are not included: .+\.$/),
      }),
    ]);
    expect(results).toEqual((await ask({ ...question, include: { imports: false } })).results);
  }
  // Both ranges of a comparison, or neither.
  const compared = { comparisons: { mode: "custom", date_range: ["2026-09-28", "2026-09-30"] } };
  const days = { metrics: ["visitors"], date_range: ["2026-10-07", "2026-10-08"], include: compared };
  const { results, meta } = await ask(days);
  expect(results[0]?.comparison?.metrics).toEqual([sum(TOTALS.slice(0, 3), ({ visitors }) => visitors)]);
  expect(meta).toMatchObject({ imports_included: true, imports: { days: [["2026-09-28", "2026-09-30"]] } });
  const funnel = await asJson("/api/v2/funnel", {
    date_range: RANGE,
    steps: [
      { name: "a", filters: [["is", "event:page", ["/"]]] },
      { name: "b", filters: [["is", "event:page", ["/"]]] },
    ],
  });
  expect(funnel["meta"]).toMatchObject({ imports_included: false, imports_skip_reason: "unsupported_query" });
});

test("[IMR-4] questions of a batch are answered as alone", async () => {
  const questions = {
    top: { metrics: ["visitors", "visits"] },
    sources: { metrics: ["visitors"], dimensions: ["visit:source"] },
    two: { metrics: ["visitors"], dimensions: ["visit:source", "visit:country"] },
  };
  const { answers } = await asJson("/api/v2/batch", { date_range: RANGE, questions });
  for (const [name, question] of Object.entries(questions)) {
    const alone = await ask(question);
    const { results, meta } = (answers as Record<string, Answered>)[name] as Answered;
    expect([name, results, meta["imports"]]).toEqual([name, alone.results, alone.meta["imports"]]);
  }
});

test("[IMR-2] the same file again counts once", async () => {
  const counted = await numbers();
  const { stdout } = await footfall("import", file);
  expect(stdout).toMatch(/import 1 has brought this already; nothing counts twice/);
  expect(await numbers()).toEqual(counted);
});

test("[IMR-3] two imports of a Day: the earlier one is shown, and the other says so", async () => {
  const counted = await numbers();
  const other = join(folder, "imported_visitors_20261006_20261008.csv");
  writeFileSync(
    other,
    csv(
      `date,${OF_VISITS}`,
      ["2026-10-06", "2026-10-08"].map((date) => `${date},500,500,500,1,1`),
    ),
  );
  await footfall("import", other);
  const shown = await own.admin("GET", `/api/v1/merchants/${shop.id}/imports/2`);
  expect(shown).toMatchObject({ days_left_out: { counted: [], imported: [["2026-10-06", "2026-10-06"]] } });
  const byDay = await ask({ metrics: ["visitors"], dimensions: ["time:day"] });
  const visitors = Object.fromEntries(byDay.results.map(({ dimensions, metrics: [one] }) => [dimensions[0], one]));
  expect([visitors["2026-10-06"], visitors["2026-10-08"]]).toEqual([TOTALS[8]?.visitors, 500]);
  await footfall("import", "undo", "2");
  expect(await numbers()).toEqual(counted);
});

test("[IMR-8] exports and proofs have nothing of it", async () => {
  const range = `from=${RANGE[0]}&to=${RANGE[1]}`;
  const headers = { authorization: `Bearer ${own.adminToken}` };
  const url = `${services.client.queryUrl}/api/v1/merchants/${shop.id}`;
  const exported = await (await fetch(`${url}/events?${range}&format=ndjson`, { headers })).text();
  expect(exported.trim().split("\n")).toHaveLength(14);
  const proof = (await own.admin("GET", `/api/v1/merchants/${shop.id}/proof?${range}`)) as {
    readonly days: readonly { readonly date: string; readonly differences: readonly unknown[] }[];
  };
  expect(proof).toMatchObject({ differences: 0 });
});

test("[IMR-7] undo restores every number to the unit at once, and redo brings them back", async () => {
  const counted = await numbers();
  expect(counted).not.toEqual(before);
  await footfall("import", "undo", "1");
  expect(await numbers()).toEqual(before);
  expect(await listed()).toMatchObject([{ state: "undone" }, { number: 1, state: "undone" }]);
  await footfall("import", "redo", "1");
  expect(await numbers()).toEqual(counted);
});

test("[IMR-2] an import goes on at its table and row, and is done only when all rows are there", async () => {
  const path = `/api/v1/merchants/${shop.id}/imports`;
  const made = (await own.admin("POST", path, {
    name: "by hand",
    source: "other",
    digest: "00000000000000aa",
    head: "00000000000000aa",
    reading: "00000000000000aa",
    days: { "2026-08-01": 2, "2026-08-02": 1 },
    tables: { visitors: { rows: 2, counters: ["visitors"] }, devices: { rows: 1, counters: ["visitors"] } },
  })) as { readonly number: number };
  const at = `${path}/${made.number}`;
  const part = (days: object, offset = 0, table = "visitors") =>
    own.admin("PUT", `${at}/rows`, { table, offset, days });
  const refused: readonly (readonly [Promise<unknown>, RegExp])[] = [
    [part({ "2026-08-03": [[1, 1, 1, 0, 0]] }), /a date that the import was not begun with/],
    [part({ "2026-08-01": [[1, 1, 1, 0]] }), /must be a list of: visitors, visits, pageviews, bounces, duration_s/],
    [part({ "2026-08-01": [[1, 1, 1, 0, -1]] }), /whole numbers from 0/],
    [part({ "2026-08-01": [[1, 1, 1, 0, 0]] }, 2), /was begun with 2 rows/],
    [part({ "2026-08-01": [["x", 1, 1, 1, 0, 0]] }, 0, "sources"), /not begun with a table sources/],
    [own.admin("PATCH", at, { state: "done" }), /has 2 rows, of which 0 are stored/],
  ];
  for (const [answer, words] of refused) await expect(answer).rejects.toThrow(words);
  await part({ "2026-08-01": [[7, 0, 0, 0, 0]] });
  await part({ "2026-08-01": [[5, 0, 0, 0, 0]] });
  expect(await own.admin("GET", at)).toMatchObject({ place: { table: "visitors", offset: 1 }, state: "running" });
  const august = { date_range: ["2026-08-01", "2026-08-02"], metrics: ["visitors"] };
  expect((await ask(august)).results[0]?.metrics).toEqual([0]); // it is not whole yet
  await part({ "2026-08-02": [[6, 0, 0, 0, 0]] }, 1);
  await part({ "2026-08-01": [["Desktop", 5, 0, 0, 0, 0]] }, 0, "devices");
  await own.admin("PATCH", at, { state: "done" });
  expect((await ask(august)).results[0]?.metrics).toEqual([11]);
  // Of what its source did not know, it says nothing.
  expect((await ask({ ...august, metrics: ["visits"] })).meta).toMatchObject({
    imports_skip_reason: "unsupported_query",
    imports_warning: expect.stringContaining("does not know visits by Day"),
  });
  const all = await ask({ metrics: ["visitors"], date_range: "all", dimensions: ["time:month"] });
  expect(all.results[0]).toEqual({ dimensions: ["2026-08-01"], metrics: [11] });
});

/** Days of a story as Fathom's API is said to answer them: a list, or an object with one; numbers as texts, or not. */
const FATHOM_FORMS = [
  ["a list of texts", "2025-06", (rows: readonly object[]) => rows],
  ["an object", "2025-07", (rows: readonly object[]) => ({ object: "list", has_more: false, data: rows })],
] as const;
const HAS_JQ = spawnSync("jq", ["--version"]).status === 0;

test.skipIf(!HAS_JQ).each(FATHOM_FORMS)(
  "[IMR-9] the lines of docs/import.md bring visitors and page views of Fathom, answered as %s",
  async (_, month, wrapped) => {
    const days = [1, 2, 3].map((at) => ({ date: `${month}-0${at}`, visits: 10 * at, pageviews: 25 * at }));
    const pages = days.flatMap(({ date, visits, pageviews }) => [
      { date, pathname: "/", uniques: visits, pageviews: pageviews - 5 },
      { date, pathname: '/a "b", c', uniques: 3, pageviews: 5 },
    ]);
    const asked: URLSearchParams[] = [];
    const stub = createServer((request, response) => {
      const { searchParams } = new URL(request.url ?? "", "http://stub");
      asked.push(searchParams);
      const rows: readonly object[] = searchParams.has("field_grouping") ? pages : days;
      const texts = rows.map((row) =>
        Object.fromEntries(Object.entries(row).map(([name, one]) => [name, String(one)])),
      );
      response.end(JSON.stringify(wrapped(month === "2025-06" ? texts : rows)));
    });
    await new Promise<void>((resolve) => stub.listen(0, "127.0.0.1", resolve));
    const place = mkdtempSync(join(folder, "fathom-"));
    try {
      const lines = /```bash\nmkdir fathom\n(.*?)npm run footfall/s.exec(readFileSync(IMPORT_DOC, "utf8"))?.[1] ?? "";
      const url = `http://127.0.0.1:${(stub.address() as AddressInfo).port}`;
      const script = `mkdir fathom\n${lines.replace("https://api.usefathom.com", url)}`;
      await run("bash", ["-euo", "pipefail", "-c", script], { cwd: place, env: { ...process.env, FATHOM_TOKEN: "t" } });
    } finally {
      stub.close();
    }
    expect(asked.map((given) => [given.get("aggregates"), given.get("date_grouping"), given.get("timezone")])).toEqual([
      ["visits,pageviews", "day", "Europe/Vienna"],
      ["uniques,pageviews", "day", "Europe/Vienna"],
    ]);
    await footfall("import", join(place, "fathom"));
    const range = { date_range: [`${month}-01`, `${month}-03`] };
    const counts = ({ visits, pageviews }: (typeof days)[number]) => [visits, pageviews];
    const byDay = await ask({ metrics: ["visitors", "pageviews"], dimensions: ["time:day"], ...range });
    expect(byDay.results.map(({ metrics }) => metrics)).toEqual(days.map(counts));
    const byPage = await ask({ metrics: ["visitors", "pageviews"], dimensions: ["event:page"], ...range });
    expect(Object.fromEntries(byPage.results.map(({ dimensions, metrics }) => [dimensions[0], metrics]))).toEqual({
      "/": [60, 135],
      '/a "b", c': [9, 15],
    });
    // Of visits it says nothing.
    expect((await ask({ metrics: ["visits"], ...range })).meta).toMatchObject({ imports_included: false });
  },
);

interface Answered {
  readonly results: readonly {
    readonly metrics: readonly unknown[];
    readonly dimensions: readonly string[];
    readonly comparison?: { readonly metrics: readonly unknown[] };
  }[];
  readonly meta: Readonly<Record<string, unknown>>;
}

async function ask(question: Record<string, unknown>): Promise<Answered> {
  return (await asJson("/api/v2/query", { date_range: RANGE, ...question })) as unknown as Answered;
}

async function asJson(path: string, question: object): Promise<Record<string, unknown>> {
  const { client } = services;
  const response = await fetch(`${client.queryUrl}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${shop.api_key}`, prefer: "wait=25" },
    body: JSON.stringify({ site_id: shop.id, ...question }),
  });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return JSON.parse(text) as Record<string, unknown>;
}

async function listed(): Promise<readonly unknown[]> {
  const { imports } = (await own.admin("GET", `/api/v1/merchants/${shop.id}/imports`)) as { imports: unknown[] };
  return imports;
}

/** What a reader may ask. */
async function numbers(): Promise<readonly unknown[]> {
  const metrics = ["visitors", "visits", "pageviews", "bounce_rate", "visit_duration"];
  const asked = [
    ...[[], ["time:day"], ["time:week"], ["visit:source"], ["visit:country"], ["visit:entry_page"]].map(
      (dimensions) => {
        return { metrics, dimensions };
      },
    ),
    { metrics: ["visitors", "events"], dimensions: ["event:name"] },
    { metrics: ["visitors", "pageviews", "total_revenue"], dimensions: ["time:month"] },
  ];
  return Promise.all(asked.map(async (question) => (await ask(question)).results));
}

function footfall(...args: readonly string[]): Promise<{ stdout: string }> {
  const { client } = services;
  const where = ["--query-url", client.queryUrl, "--collector-url", client.collectorUrl];
  const admin = ["--admin-token", own.adminToken];
  return run(process.execPath, [SCRIPT, ...where, ...admin, ...args], { env: { PATH: process.env["PATH"] ?? "" } });
}

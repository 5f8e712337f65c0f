// GA4's Data API by a stub that answers as its reference describes it: pages, a quota that is used up, errors, and rows
// that stand for others. What arrives is compared with sums over the rows that the stub has.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openRollups } from "../../scripts/import/rollups/file.ts";
import { fetchGa4, GA4_QUOTA_PAUSE_MS, type Ga4Options } from "../../scripts/import/rollups/ga4.ts";
import { previewRollups } from "../../scripts/import/rollups/read.ts";

const NOW = Date.UTC(2026, 10, 30);
const DATES = ["20240101", "20240102", "20240103", "20240104"];

interface Asked {
  readonly dimensions: readonly { readonly name: string }[];
  readonly metrics: readonly { readonly name: string }[];
  readonly limit: string;
  readonly offset: string;
  readonly dimensionFilter?: { readonly notExpression: { readonly filter: { readonly fieldName: string } } };
}

/** Values that each dimension has on each Day. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  sessionSource: ["google", "(direct)", "(other)"],
  pagePath: ["/", "/a,b", '/"q"'],
  landingPage: ["/", "(not set)"],
  eventName: ["sign_up"],
  countryId: ["AT", "(not set)"],
  deviceCategory: ["desktop", "smart tv"],
  browser: ["Chrome"],
  operatingSystem: ["Macintosh"],
};

let server: Server;
let folder: string;
let options: Ga4Options;
let asked: Asked[];
let slept: number[];
let said: string[];
/** What the next requests are answered with instead of a page. */
let next: { readonly status: number; readonly body: string }[];
let quota: object | undefined;

function rowsOf({ dimensions, metrics }: Asked) {
  const [, main] = dimensions.map(({ name }) => name);
  return DATES.flatMap((date, day) =>
    (main === undefined ? [""] : (VALUES[main] as readonly string[])).map((value, at) => ({
      dimensionValues: dimensions.map(({ name }) => ({
        value: name === "date" ? date : name === main ? value : "(not set)",
      })),
      metricValues: metrics.map(({ name }) => ({
        value: String(name === "engagedSessions" ? 2 + day : name === "userEngagementDuration" ? 7.4 : 10 + day + at),
      })),
    })),
  );
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "footfall-ga4-"));
  [asked, slept, said, next, quota] = [[], [], [], [], undefined];
  server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const body = JSON.parse(text) as Asked;
    asked.push(body);
    const other = next.shift();
    if (other !== undefined || request.headers.authorization !== "Bearer fresh") {
      response.statusCode = other?.status ?? 401;
      response.end(other?.body ?? JSON.stringify({ error: { code: 401, message: "Invalid credentials" } }));
      return;
    }
    const rows = rowsOf(body);
    const page = rows.slice(Number(body.offset), Number(body.offset) + Number(body.limit));
    const more = { metadata: { timeZone: "Europe/Vienna" }, ...(quota && { propertyQuota: quota }) };
    response.end(JSON.stringify({ rows: page, rowCount: rows.length, ...more }));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  options = {
    property: "123",
    from: "2024-01-01",
    to: "2024-01-04",
    folder: join(folder, "out"),
    token: async () => "fresh",
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    pageRows: 5,
    say: (text) => said.push(text),
    sleep: async (ms) => {
      slept.push(ms);
    },
    isStopped: () => false,
  };
});
afterEach(async () => {
  await new Promise((done) => server.close(done));
  rmSync(folder, { recursive: true });
});

async function fetched() {
  const { files } = await openRollups(options.folder);
  return previewRollups(files, { now: NOW, say: () => undefined });
}

test("[IMR-10] reports come page by page, in a total order, and are what the property has counted", async () => {
  expect(await fetchGa4(options)).toEqual({ isWhole: true, timeZone: "Europe/Vienna" });
  const preview = await fetched();
  expect(preview.tally.refused()).toBe(0);
  expect(preview.tables.map(({ name, rows }) => [name, rows])).toEqual([
    ["visitors", 4],
    ["sources", 12],
    ["pages", 12],
    ["entry_pages", 8],
    ["custom_events", 4],
    ["locations", 8],
    ["devices", 8],
    ["browsers", 4],
    ["systems", 4],
  ]);
  // 10 to 13 of each; engaged sessions are 2 to 5; 7.4 s are 7.
  expect(Object.fromEntries(preview.sums)).toEqual({
    visitors: 46,
    visits: 46,
    pageviews: 46,
    bounces: 46 - 14,
    duration_s: 28,
  });
  expect([...preview.days.keys()]).toHaveLength(4);
  const pages = readFileSync(join(options.folder, "pages.csv"), "utf8");
  expect(pages).toContain('20240101,"/a,b",(not set),11,11,11');
  expect(pages).toContain('20240101,"/""q""",(not set),12,12,12');
  for (const one of asked) {
    const names = one.dimensions.map(({ name }) => name);
    expect(one).toMatchObject({
      dateRanges: [{ startDate: "2024-01-01", endDate: "2024-01-04" }],
      orderBys: names.map((dimensionName) => ({ dimension: { dimensionName } })),
      returnPropertyQuota: true,
    });
  }
  const events = asked.filter(({ dimensionFilter }) => dimensionFilter !== undefined);
  expect(events.map(({ dimensions }) => dimensions[1]?.name)).toEqual(["eventName"]);
});

test("[IMR-10] where the quota is used up it goes on an hour later, at the same report and row", async () => {
  const exhausted = { error: { code: 429, message: "Exhausted property tokens", status: "RESOURCE_EXHAUSTED" } };
  next = [{ status: 503, body: "no" }];
  await fetchGa4({ ...options, isStopped: () => asked.length === 3 }).catch(() => undefined);
  const whole = asked.length;
  next = [
    { status: 429, body: JSON.stringify(exhausted) },
    { status: 429, body: JSON.stringify(exhausted) },
  ];
  await fetchGa4(options);
  expect(slept.filter((ms) => ms === GA4_QUOTA_PAUSE_MS)).toHaveLength(2);
  expect(asked.slice(whole, whole + 3).map(({ offset }) => offset)).toEqual(["5", "5", "5"]);
  expect(said.join("\n")).toMatch(/quota is used up \(Exhausted property tokens\); going on with sources after row 5/);
  const preview = await fetched();
  expect(preview.tables.find(({ name }) => name === "sources")?.rows).toBe(12);
});

test("[IMR-10] it waits before the quota of an hour is used up", async () => {
  quota = { tokensPerHour: { consumed: 30, remaining: 20 }, tokensPerDay: { consumed: 30, remaining: 100_000 } };
  await fetchGa4({ ...options, pageRows: 1_000 });
  expect(slept).toEqual(Array.from({ length: 9 }, () => GA4_QUOTA_PAUSE_MS));
});

test("[IMR-10] a run that dies after any request loses no row and has none twice", async () => {
  await fetchGa4(options);
  const expected = await fetched();
  const requests = asked.length;
  for (let dies = 1; dies < requests; dies += 3) {
    const own = { ...options, folder: join(folder, `out-${dies}`) };
    asked = [];
    await fetchGa4({ ...own, token: async () => (asked.length >= dies ? "expired" : "fresh") }).then(
      () => expect.unreachable("the token has expired"),
      (error: Error) => expect(error.message).toMatch(/401: Invalid credentials.*another access token/),
    );
    expect(await fetchGa4(own)).toMatchObject({ isWhole: true });
    const { files } = await openRollups(own.folder);
    expect((await previewRollups(files, { now: NOW, say: () => undefined })).digest).toBe(expected.digest);
  }
});

test("[IMR-10] another property or range does not go on in the same folder", async () => {
  await fetchGa4(options);
  await expect(fetchGa4({ ...options, property: "124" })).rejects.toThrow(/has property 123 from 2024-01-01/);
  const again = asked.length;
  expect(await fetchGa4(options)).toMatchObject({ isWhole: true });
  expect(asked).toHaveLength(again);
});

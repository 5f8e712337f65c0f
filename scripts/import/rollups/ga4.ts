// Fetches what a GA4 property has counted by the Day, by its Data API, into a folder of CSVs that an import of rollups
// reads (file.ts). One report for each table, page by page. After each page it is noted which report and row comes
// next, so that a quota that is used up, an interruption or a token that has expired costs nothing: the same command
// goes on there. Nothing is marked as whole before its last row has come.

import { mkdir, open, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ImportedTableName } from "../../../core/imported/table.ts";
import { messageOf, Problem } from "../../problem.ts";

export interface Ga4Options {
  /** The number of the property, such as 123456789. */
  readonly property: string;
  /** First and last date. */
  readonly from: string;
  readonly to: string;
  /** Where the CSVs go. */
  readonly folder: string;
  /** An OAuth access token with the scope analytics.readonly; read again before each request, since it expires. */
  readonly token: () => Promise<string>;
  readonly url: string;
  readonly pageRows: number;
  readonly say: (text: string) => void;
  readonly sleep: (ms: number) => Promise<void>;
  readonly isStopped: () => boolean;
}

export const GA4_URL = "https://analyticsdata.googleapis.com";
/** A quarter of a request's most, so that a page that fails costs little. */
export const GA4_PAGE_ROWS = 50_000;
/** Quotas of an hour are full again within one. */
export const GA4_QUOTA_PAUSE_MS = 3_600_000;
const TRIES_MAX = 5;
const FIRST_PAUSE_MS = 2_000;
const TIMEOUT_MS = 120_000;

interface Report {
  readonly table: ImportedTableName;
  /** Dimensions beside `date`, each with the column that it fills. */
  readonly dimensions: readonly (readonly [dimension: string, column: string])[];
  readonly metrics: readonly Metric[];
  /** Values of the first dimension that are left out. */
  readonly without?: readonly string[];
}

interface Metric {
  readonly column: string;
  readonly names: readonly string[];
  readonly of: (values: readonly number[]) => number;
}

const plain = (name: string, column: string): Metric => ({ column, names: [name], of: ([value = 0]) => value });
const USERS = plain("totalUsers", "visitors");
const SESSIONS = plain("sessions", "visits");
const VIEWS = plain("screenPageViews", "pageviews");
const OF_VISITS: readonly Metric[] = [
  USERS,
  SESSIONS,
  VIEWS,
  {
    column: "bounces",
    names: ["sessions", "engagedSessions"],
    of: ([sessions = 0, engaged = 0]) => Math.max(0, sessions - engaged),
  },
  plain("userEngagementDuration", "visit_duration"),
];

const REPORTS: readonly Report[] = [
  { table: "visitors", dimensions: [], metrics: OF_VISITS },
  {
    table: "sources",
    dimensions: [
      ["sessionSource", "source"],
      ["sessionMedium", "utm_medium"],
      ["sessionCampaignName", "utm_campaign"],
      ["sessionManualAdContent", "utm_content"],
      ["sessionGoogleAdsKeyword", "utm_term"],
    ],
    metrics: OF_VISITS,
  },
  {
    table: "pages",
    dimensions: [
      ["pagePath", "page"],
      ["hostName", "hostname"],
    ],
    metrics: [USERS, SESSIONS, VIEWS],
  },
  { table: "entry_pages", dimensions: [["landingPage", "entry_page"]], metrics: OF_VISITS },
  {
    table: "custom_events",
    dimensions: [["eventName", "name"]],
    metrics: [USERS, plain("eventCount", "events")],
    // GA4 sends these by itself; page views are counted as such.
    without: ["page_view", "session_start", "first_visit", "user_engagement"],
  },
  {
    table: "locations",
    dimensions: [
      ["countryId", "country"],
      ["region", "region"],
      ["city", "city"],
    ],
    metrics: OF_VISITS,
  },
  { table: "devices", dimensions: [["deviceCategory", "device"]], metrics: OF_VISITS },
  { table: "browsers", dimensions: [["browser", "browser"]], metrics: OF_VISITS },
  { table: "systems", dimensions: [["operatingSystem", "operating_system"]], metrics: OF_VISITS },
];

/** What is kept beside the CSVs. */
interface Kept {
  readonly property: string;
  readonly from: string;
  readonly to: string;
  /** The report that is being fetched, its next row, and how many bytes its CSV has up to there. */
  readonly report: number;
  readonly offset: number;
  readonly bytes: number;
  readonly timeZone: string | undefined;
}

const STATE = "ga4.json";

export interface Fetched {
  /** False where it was stopped; the same options go on. */
  readonly isWhole: boolean;
  /** The property's zone: its Days are those. */
  readonly timeZone: string | undefined;
}

/** Fetches all reports, or those that are left. */
export async function fetchGa4(options: Ga4Options): Promise<Fetched> {
  const { folder, property, from, to, say } = options;
  await mkdir(folder, { recursive: true });
  const first = { property, from, to, report: 0, offset: 0, bytes: 0, timeZone: undefined };
  let kept = (await readKept(folder)) ?? first;
  if (kept.property !== property || kept.from !== from || kept.to !== to)
    throw new Problem(
      `${folder} has property ${kept.property} from ${kept.from} to ${kept.to}; choose another --out, or these`,
    );
  if (kept.offset > 0) say(`going on with ${REPORTS[kept.report]?.table} after row ${kept.offset}`);
  while (kept.report < REPORTS.length) {
    if (options.isStopped()) return { isWhole: false, timeZone: kept.timeZone };
    kept = await fetchPage(kept, options);
    await writeKept(folder, kept);
  }
  return { isWhole: true, timeZone: kept.timeZone };
}

/** Fetches one page and adds it to its CSV; what a run that died had added behind the noted place is cut off first. */
async function fetchPage(kept: Kept, options: Ga4Options): Promise<Kept> {
  const report = REPORTS[kept.report] as Report;
  const page = await ask(report, kept.offset, options);
  const rows = page.rows ?? [];
  const left = rows.filter(({ dimensionValues: [date] }) => /^\d{8}$/.test(date?.value ?? ""));
  if (left.length < rows.length)
    options.say(`${report.table}: ${rows.length - left.length} rows have no date, and are left out`);
  const text = [...(kept.offset === 0 ? [headerOf(report)] : []), ...left.map((row) => lineOf(report, row))];
  const file = await open(join(options.folder, `${report.table}.csv`), kept.offset === 0 ? "w" : "r+");
  const bytes = Buffer.from(text.map((line) => `${line}\n`).join(""));
  try {
    await file.truncate(kept.bytes);
    await file.write(bytes, 0, bytes.length, kept.bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  const timeZone = page.metadata?.timeZone ?? kept.timeZone;
  const offset = kept.offset + rows.length;
  // A page that is short of what was announced is no end: the next one begins behind it.
  const isEnd = rows.length === 0 || offset >= (page.rowCount ?? 0);
  if (rows.length === 0 && offset < (page.rowCount ?? 0))
    throw new Problem(`GA4 gives ${offset} of ${page.rowCount} rows of ${report.table}; try again`);
  if (isEnd) options.say(`${report.table}: ${offset} rows`);
  return isEnd
    ? { ...kept, report: kept.report + 1, offset: 0, bytes: 0, timeZone }
    : { ...kept, offset, bytes: kept.bytes + bytes.length, timeZone };
}

interface Value {
  readonly value?: string;
}

interface Row {
  readonly dimensionValues: readonly Value[];
  readonly metricValues: readonly Value[];
}

interface Page {
  readonly rows?: readonly Row[];
  /** Absent for 0. */
  readonly rowCount?: number;
  readonly metadata?: { readonly timeZone?: string };
  readonly propertyQuota?: Readonly<Record<string, { readonly consumed?: number; readonly remaining?: number }>>;
}

/** One page of a report. Where the quota is used up, it waits and asks for the same page again. */
async function ask(report: Report, offset: number, options: Ga4Options): Promise<Page> {
  const { say, sleep } = options;
  let pause = FIRST_PAUSE_MS;
  for (let tries = 1; ; tries++) {
    if (options.isStopped()) throw new Problem("stopped; the same command goes on from here");
    const answer = await send(report, offset, options).catch((error: unknown) => messageOf(error));
    if (typeof answer !== "string" && answer.ok) {
      const page = (await answer.json()) as Page;
      await spare(page, options);
      return page;
    }
    if (typeof answer !== "string" && answer.status === 429) {
      say(
        `GA4's quota is used up (${await wordsOf(answer)}); going on with ${report.table} after row ${offset} in an hour`,
      );
      await sleep(GA4_QUOTA_PAUSE_MS);
      tries = 0;
      continue;
    }
    const why = typeof answer === "string" ? answer : `${answer.status}: ${await wordsOf(answer)}`;
    const isTransient = typeof answer === "string" || answer.status >= 500;
    if (!isTransient) throw new Problem(`GA4 refuses the report ${report.table} (${why}); ${remedyOf(why)}`);
    if (tries >= TRIES_MAX) throw new Problem(`GA4 does not answer (${why}); the same command goes on from here`);
    say(`GA4 does not answer (${why}); trying again`);
    await sleep(pause);
    pause *= 2;
  }
}

function remedyOf(why: string): string {
  if (why.startsWith("401")) return "get another access token: it lives for an hour";
  if (why.startsWith("403")) return "the token's account must be able to read the property, by analytics.readonly";
  return "nothing was lost, and the same command goes on from here";
}

async function send(report: Report, offset: number, options: Ga4Options): Promise<Response> {
  const { property, from, to, url, pageRows } = options;
  const dimensions = ["date", ...report.dimensions.map(([name]) => name)].map((name) => ({ name }));
  const [filtered = ""] = report.dimensions[0] ?? [];
  return fetch(`${url}/v1beta/properties/${encodeURIComponent(property)}:runReport`, {
    method: "POST",
    headers: { authorization: `Bearer ${await options.token()}`, "content-type": "application/json" },
    signal: AbortSignal.timeout(TIMEOUT_MS),
    body: JSON.stringify({
      dateRanges: [{ startDate: from, endDate: to }],
      dimensions,
      metrics: metricNames(report).map((name) => ({ name })),
      // A total order, or pages could overlap.
      orderBys: dimensions.map(({ name }) => ({ dimension: { dimensionName: name } })),
      limit: String(pageRows),
      offset: String(offset),
      returnPropertyQuota: true,
      ...(report.without && {
        dimensionFilter: {
          notExpression: { filter: { fieldName: filtered, inListFilter: { values: report.without } } },
        },
      }),
    }),
  });
}

/** The metrics of a report, each once. */
function metricNames({ metrics }: Report): readonly string[] {
  return [...new Set(metrics.flatMap(({ names }) => names))];
}

/** Waits where another page like this one would not fit into the hour. */
async function spare({ propertyQuota }: Page, { say, sleep }: Ga4Options): Promise<void> {
  for (const name of ["tokensPerHour", "tokensPerProjectPerHour"]) {
    const { consumed = 0, remaining } = propertyQuota?.[name] ?? {};
    if (remaining === undefined || remaining >= consumed) continue;
    say(`GA4's quota of this hour is nearly used up (${remaining} tokens are left); going on in an hour`);
    return sleep(GA4_QUOTA_PAUSE_MS);
  }
}

async function wordsOf(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text) as { readonly error?: { readonly message?: string } };
    return (error?.message ?? text).slice(0, WORDS_LENGTH_MAX);
  } catch {
    return text.slice(0, WORDS_LENGTH_MAX); // no JSON: a proxy's page
  }
}

const WORDS_LENGTH_MAX = 300;

function headerOf({ dimensions, metrics }: Report): string {
  return ["date", ...dimensions.map(([, column]) => column), ...metrics.map(({ column }) => column)].join(",");
}

function lineOf(report: Report, { dimensionValues, metricValues }: Row): string {
  const names = metricNames(report);
  const number = (name: string) => Number(metricValues[names.indexOf(name)]?.value ?? 0);
  const numbers = report.metrics.map(({ names: own, of }) => Math.round(of(own.map(number))));
  return [...dimensionValues.map(({ value = "" }) => quoted(value)), ...numbers].join(",");
}

function quoted(text: string): string {
  return /[",;\r\n]/.test(text) ? `"${text.replaceAll('"', '""').replace(/[\r\n]+/g, " ")}"` : text;
}

async function readKept(folder: string): Promise<Kept | undefined> {
  const path = join(folder, STATE);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new Problem(`cannot read ${path}: ${messageOf(error)}`);
  });
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Kept;
  } catch {
    throw new Problem(`${path} is damaged; delete ${folder} and begin anew`);
  }
}

async function writeKept(folder: string, kept: Kept): Promise<void> {
  const path = join(folder, STATE);
  await writeFile(`${path}.new`, JSON.stringify(kept));
  await rename(`${path}.new`, path);
}

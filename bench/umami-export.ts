// `node bench/umami-export.ts --umami <checkout> --out test/golden/umami`: runs the real Umami (umami.ts says how a
// checkout is built), makes two websites by its API, sends them a story through its tracker's endpoint, and keeps what
// an importer is tried with: the dump of its tables, the export by the statement of docs/import.md, and what the tables
// and Umami's own API say that is in them. The story is the same on every run; Umami's ids are not.

import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { programsOf } from "../test/support/postgres.ts";
import { countsOf, exportOf } from "../test/support/umami-export.ts";
import { startUmami, type Umami } from "./umami.ts";
import { HITS, type Hit, RANGE, SITES } from "./umami-story.ts";

const { values } = parseArgs({ options: { umami: { type: "string" }, out: { type: "string" } } });
const { umami: checkout, out } = values;
if (checkout === undefined || out === undefined) throw new Error("give --umami <checkout> and --out <folder>");

/** What an importer needs, and what else belongs to a website's events. Not the accounts, which hold a password. */
const TABLES = ["website", "session", "website_event", "event_data", "session_data", "revenue"];

const umami = await startUmami(checkout);
if (umami === undefined) throw new Error("no PostgreSQL here: on Debian, apt-get install postgresql");
try {
  for (const site of SITES) await ask(umami, "POST", "/api/websites", site);
  await sendAll(umami);
  await keep(umami, out);
} finally {
  await umami.stop();
}

/** In the order of the story. A browser's later hits bring the token of its first, as Umami's tracker does. */
async function sendAll({ origin }: Umami): Promise<void> {
  const tokens = new Map<string, string>();
  const answers = new Map<string, number>();
  for (const hit of HITS) {
    const token = hit.tokenOf === undefined ? undefined : tokens.get(hit.tokenOf);
    const answer = await send(origin, hit, token);
    if (hit.tokenOf !== undefined && answer.cache !== undefined) tokens.set(hit.tokenOf, answer.cache);
    const said = answer.beep === undefined ? "taken" : "taken for a bot";
    answers.set(said, (answers.get(said) ?? 0) + 1);
  }
  console.error(Object.fromEntries(answers));
}

async function send(
  origin: string,
  { type, headers, payload }: Hit,
  token: string | undefined,
): Promise<{ readonly cache?: string; readonly beep?: string }> {
  const response = await fetch(`${origin}/api/send`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json", ...(token !== undefined && { "x-umami-cache": token }) },
    body: JSON.stringify({ type, payload }),
  });
  if (!response.ok) throw new Error(`${response.status} of ${JSON.stringify(payload)}: ${await response.text()}`);
  return (await response.json()) as { cache?: string; beep?: string };
}

async function keep(umami: Umami, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const [site] = SITES;
  const csv = exportOf(umami.databaseUrl, site.id);
  const counts = { ...(await countsOf(umami.databaseUrl, site.id)), api: await apiCounts(umami, site.id) };
  writeFileSync(join(folder, "umami.csv.gz"), gzipSync(csv, { level: 9 }));
  writeFileSync(join(folder, "counts.json"), `${JSON.stringify(counts, undefined, 2)}\n`);
  const tables = TABLES.flatMap((table) => ["--table", table]);
  const given = ["--no-owner", "--no-privileges", "--no-comments", ...tables, umami.databaseUrl];
  const dumped = execFileSync(join(programsOf() as string, "pg_dump"), given, { maxBuffer: 2 ** 26, encoding: "utf8" });
  // Lines that older versions of psql do not know, with a key that is new on each run.
  const dump = dumped.replace(/^\\(un)?restrict .*\n/gm, "");
  writeFileSync(join(folder, "tables.sql.gz"), gzipSync(dump, { level: 9 }));
}

/** The numbers that Umami itself shows of a website. */
async function apiCounts(umami: Umami, id: string): Promise<object> {
  const during = `startAt=${RANGE.start}&endAt=${RANGE.end - 1}`;
  const { pageviews, visitors } = (await ask(umami, "GET", `/api/websites/${id}/stats?${during}`)) as Record<
    string,
    number
  >;
  const by = async (type: string) => {
    const rows = (await ask(umami, "GET", `/api/websites/${id}/metrics?type=${type}&limit=500&${during}`)) as Metric[];
    return Object.fromEntries(rows.filter(({ x }) => x !== null && x !== "").map(({ x, y }) => [x, y]));
  };
  const revenue = async (currency: string) => {
    const parameters = {
      startDate: new Date(RANGE.start),
      endDate: new Date(RANGE.end - 1),
      currency,
      timezone: "UTC",
    };
    const question = { websiteId: id, type: "revenue", filters: {}, parameters };
    const { total } = (await ask(umami, "POST", "/api/reports/revenue", question)) as { total: Record<string, number> };
    return { sum: Number(total["sum"]), count: Number(total["count"]) };
  };
  return {
    ...{ pageviews, visitors },
    events: await by("event"),
    countries: await by("country"),
    browsers: await by("browser"),
    paths: await by("path"),
    revenue: { EUR: await revenue("EUR"), USD: await revenue("USD") },
  };
}

interface Metric {
  readonly x: string | null;
  readonly y: number;
}

async function ask({ origin, token }: Umami, method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${origin}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { "content-type": "application/json" }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

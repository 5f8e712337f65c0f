// `npm run bench:query`: how long the dashboard's questions take and what they read, for one merchant with --events
// events (1,000,000 unless said) in the last 13 months, over 24 hours, 30 days and 12 months. What is asked was made by
// production code (`query-data.ts`) and is kept for the next run of the same day. Cold is the first time a question is
// asked of a runtime that was just started (--starts, 10 unless said), warm is every other time (--asks, 20 for each
// start). A question that is too large for one request is a job (JOB-1), and is waited for once; --rollups-only leaves
// out what is read from events, --ranges 30d all other ranges. Before that it measures an overview (`overview.ts`);
// --overview does nothing else. All of it, the client too, shares this machine; "CPU ms"
// is the runtime's own processor time for an answer, which other people's work changes less.

import { parseArgs } from "node:util";
import type { zeroMeter } from "../core/meter.ts";
import { percentile } from "../test/support/flood.ts";
import type { Answered, Client, Merchant } from "../test/support/services.ts";
import { cpuMs, descendants, print, rounded } from "./measure.ts";
import { measureOverview } from "./overview.ts";
import { prepare, startOn } from "./query-data.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string" },
    starts: { type: "string" },
    asks: { type: "string" },
    ranges: { type: "string", default: "24h,30d,12mo" },
    "rollups-only": { type: "boolean", default: false },
    overview: { type: "boolean", default: false },
    seconds: { type: "string", default: "8" },
  },
});
const [events, starts, asks] = [Number(values.events ?? 1e6), Number(values.starts ?? 10), Number(values.asks ?? 20)];
const JOB_POLL_MS = 500;

const NUMBERS = ["visitors", "visits", "pageviews", "bounce_rate", "visit_duration"];
const TOP = { metrics: ["visitors", "pageviews"], pagination: { limit: 10 } };
const QUESTIONS: Record<string, Readonly<Record<string, unknown>>> = {
  "totals by time": { metrics: NUMBERS, dimensions: ["time"] },
  totals: { metrics: NUMBERS },
  "top pages": { ...TOP, dimensions: ["event:page"] },
  "top sources": { ...TOP, dimensions: ["visit:source"] },
  countries: { ...TOP, dimensions: ["visit:country"] },
  "from one source": { metrics: ["visitors", "pageviews"], filters: [["is", "visit:source", ["Google"]]] },
  "pages of a country": { ...TOP, dimensions: ["event:page"], filters: [["is", "visit:country", ["AT"]]] },
  "sources of a country": { ...TOP, dimensions: ["visit:source"], filters: [["is", "visit:country", ["AT"]]] },
};
/**
 * A click on a dashboard: seven panels of one country. No page is left out by the second filter, which keeps apart what
 * is remembered of one panel alone.
 */
const COUNTRY = ["is", "visit:country", ["AT"]];
QUESTIONS["seven panels of a country"] = {
  filters: [COUNTRY, ["is_not", "event:page", ["/no such page"]]],
  questions: {
    totals: { metrics: NUMBERS, accuracy: "exact" },
    ...Object.fromEntries(
      ["event:page", "visit:source", "visit:browser", "visit:device", "visit:entry_page", "event:name"].map((name) => [
        name.replace(":", "-"),
        { metrics: ["visitors"], pagination: { limit: 10 }, dimensions: [name] },
      ]),
    ),
  },
};
const RANGES = values.ranges.split(",");
/** Pages of a country in a year have too many visitors each for one job, of ten million events; sources have not. */
const FROM_EVENTS = [
  { name: "pages of a country", range: "24h" },
  { name: "seven panels of a country", range: "24h" },
  { name: "pages of a country", range: "30d" },
  { name: "sources of a country", range: "12mo" },
];
const FROM_ROLLUPS = Object.keys(QUESTIONS).filter((name) => !FROM_EVENTS.some((other) => other.name === name));
/** Those from events come last: they may be jobs. */
const ASKED = [
  ...RANGES.flatMap((range) => FROM_ROLLUPS.map((name) => ({ name, range }))),
  ...(values["rollups-only"] ? [] : FROM_EVENTS.filter(({ range }) => RANGES.includes(range))),
];

interface Taken {
  readonly ms: number;
  /** Of the runtime's processes. */
  readonly cpuMs: number;
  readonly isJob: boolean;
  readonly d1Rows: number;
  readonly r2Gets: number;
  readonly r2Lists: number;
  readonly bytes: number;
}

async function main(): Promise<void> {
  await measureOverview(Number(values.seconds));
  if (values.overview) return;
  const { stateDir, merchant, ...data } = await prepare(events);
  const [rollupMb, archiveMb] = [data.rollupBytes, data.archiveBytes].map((bytes) => Math.round(bytes / 1e6));
  console.error(`${events} events: ${rollupMb} MB of rollups, ${archiveMb} MB of archive, made in ${data.seconds} s`);
  const cold = new Map<string, Taken[]>();
  const warm = new Map<string, Taken[]>();
  for (let turn = 0; turn < starts; turn++) {
    const { runtime, client } = await startOn(stateDir);
    try {
      await ask(client, merchant, { metrics: ["events"], date_range: "day" }); // the key, and the partition
      for (const { name, range } of ASKED) {
        const label = `${name}, ${range}`;
        if (cold.get(label)?.[0]?.isJob === true) continue;
        const asked = { ...QUESTIONS[name], date_range: range };
        const first = await ask(client, merchant, asked);
        put(cold, label, first);
        if (first.isJob) console.error(`${label}: a job of ${Math.round(first.ms / 1_000)} s`);
        else for (let again = 0; again < asks; again++) put(warm, label, await ask(client, merchant, asked));
      }
    } finally {
      await runtime.stop();
    }
    console.error(`start ${turn + 1} of ${starts}`);
  }
  report(cold, warm);
}

async function ask(client: Client, merchant: Merchant, question: object): Promise<Taken> {
  const meter = async () => (await client.admin("GET", "/api/v1/meter")) as ReturnType<typeof zeroMeter>;
  const headers = { authorization: `Bearer ${merchant.api_key}` };
  const before = await meter();
  const workers = descendants("workerd");
  const cpuBefore = cpuMs(workers);
  const startedAt = performance.now();
  const body = JSON.stringify({ site_id: merchant.id, ...question });
  const path = "questions" in question ? "batch" : "query";
  let response = await fetch(`${client.queryUrl}/api/v2/${path}`, { method: "POST", headers, body });
  const isJob = response.status === 202;
  while (response.status === 202) {
    const { id } = (await response.json()) as { readonly id: string };
    await new Promise((resolve) => setTimeout(resolve, JOB_POLL_MS));
    response = await fetch(`${client.queryUrl}/api/v2/queries/${id}?site_id=${merchant.id}`, { headers });
  }
  const answered = (await response.json()) as Answered;
  const ms = performance.now() - startedAt;
  const cpu = cpuMs(workers) - cpuBefore;
  if (!response.ok) throw new Error(`${response.status} ${JSON.stringify(answered)}`);
  const after = await meter();
  const { bytes = 0 } = (answered.meta?.["sources"] ?? {}) as { readonly bytes?: number };
  return {
    ms,
    cpuMs: cpu,
    isJob,
    d1Rows: after.d1_rows_read - before.d1_rows_read,
    r2Gets: after.r2_class_b - before.r2_class_b,
    r2Lists: after.r2_class_a - before.r2_class_a,
    bytes,
  };
}

function report(cold: ReadonlyMap<string, readonly Taken[]>, warm: ReadonlyMap<string, readonly Taken[]>): void {
  const times = (all: readonly Taken[]) => {
    const ms = all.map((one) => one.ms).sort((a, b) => a - b);
    return [0.5, 0.95, 0.99].map((share) => (ms.length === 0 ? "" : Math.round(percentile(ms, share) * 10) / 10));
  };
  const rows = [...cold].map(([question, first]) => {
    const later = warm.get(question) ?? [];
    const [cold50, cold95, cold99] = times(first);
    const [warm50, warm95, warm99] = times(later);
    const [coldest] = first as [Taken];
    const { d1Rows, r2Gets, r2Lists, bytes } = later.at(-1) ?? coldest;
    return {
      question: coldest.isJob ? `${question} (a job)` : question,
      "cold p50": cold50 ?? "",
      "cold p95": cold95 ?? "",
      "cold p99": cold99 ?? "",
      "warm p50": warm50 ?? "",
      "warm p95": warm95 ?? "",
      "warm p99": warm99 ?? "",
      "CPU ms cold": mean(first),
      "CPU ms warm": mean(later),
      "D1 rows cold": coldest.d1Rows,
      "D1 rows warm": d1Rows,
      "R2 gets": r2Gets,
      "R2 lists": r2Lists,
      "R2 KB": Math.round(bytes / 1e3),
    };
  });
  const [one, seven] = ["pages of a country, 24h", "seven panels of a country, 24h"].map((name) => {
    const { ms = 0, cpuMs = 0 } = (cold.get(name) ?? []).toSorted((a, b) => a.ms - b.ms)[0] ?? {};
    return { ms, cpuMs };
  });
  if (one !== undefined && seven !== undefined && one.ms > 0)
    console.error(
      `seven filtered panels in one batch, cold: ${rounded(seven.ms / one.ms, 2)} times one by the clock, ` +
        `${rounded(seven.cpuMs / one.cpuMs, 2)} times by the processor`,
    );
  print("query", rows, { events, starts, asks, unit: "ms" });
}

/** Of processor time, whose clock ticks every 10 ms: one answer's says little. */
function mean(all: readonly Taken[]): number {
  return rounded(all.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / Math.max(1, all.length), 2);
}

function put(all: Map<string, Taken[]>, label: string, one: Taken): void {
  all.set(label, [...(all.get(label) ?? []), one]);
}

await main();

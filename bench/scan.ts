// `npm run bench:scan`: what questions from events take of a processor, an event, apart from everything else that an
// answer takes. A shop's sealed Days lie in memory, as production code writes them; they are read and counted by the
// code that requests and jobs count with. --events of a Day (25,000 unless said), --days (4), --rounds (5, of which the
// fastest is told: other people's work only adds to it), --only a part of a question's name, --facts to read the rows
// and not what the seal has derived of them. Processor time and not the clock's; one merchant, nothing remembered.

import { parseArgs } from "node:util";
import { encodeDerivedTable } from "../core/archive/derived-table.ts";
import { blockOf, joinBlocks } from "../core/archive/event-columns.ts";
import { encodeManifest, type SealedFile } from "../core/archive/manifest.ts";
import { derivedTableKey, manifestKey, sealedFolder } from "../core/archive/object-key.ts";
import { finish } from "../core/gradual.ts";
import { type Counting, type CountPlan, countPlanOf } from "../core/query/count.ts";
import { derive, derivedUnder } from "../core/query/derived.ts";
import { planQuestion } from "../core/query/plan.ts";
import { parseQuestion } from "../core/query/question.ts";
import { resolveRange } from "../core/query/range.ts";
import { REPORTS, reportPlanOf } from "../core/query/report-count.ts";
import { DAY_MS, dateOf } from "../core/time.ts";
import { findScanPlaces, type ScanPlace } from "../storage/archive/archive-scan.ts";
import { encodeDerived } from "../storage/archive/derived-file.ts";
import { DerivedAhead, readTogether } from "../storage/archive/merchant-events.ts";
import { SealedFileWriter } from "../storage/archive/sealed-file.ts";
import { always, settingsOf } from "../test/support/events.ts";
import { memoryArchive } from "../test/support/memory-bucket.ts";
import { valueFrom } from "../test/support/questions.ts";
import { print, rounded } from "./measure.ts";
import { shopDay } from "./shop-day.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string" },
    days: { type: "string" },
    rounds: { type: "string" },
    only: { type: "string" },
    facts: { type: "boolean" },
  },
});
const [events, days, rounds] = [Number(values.events ?? 25_000), Number(values.days ?? 4), Number(values.rounds ?? 5)];

const PARTITION = "pool-0";
const MERCHANT = 1;
const FIRST_DAY = Math.floor(Date.UTC(2026, 9, 5) / DAY_MS);
const RANGE = [dateOf(FIRST_DAY), dateOf(FIRST_DAY + days - 1)];
const ROWS_WRITTEN = 5_000;
const GOALS = [
  { name: "Cart", event: "add_to_cart" },
  { name: "Thanks", page: "/checkout/thank-you" },
];
const settings = settingsOf("Europe/Berlin", { rules: always({ goals: GOALS }) });
const under = { settings, global: [] };

const COUNTRY = [["is", "visit:country", ["DE"]]];
const PAGES = { metrics: ["visitors", "pageviews"], dimensions: ["event:page"] };
const QUESTIONS: Readonly<Record<string, object>> = {
  "pages of a country": { ...PAGES, filters: COUNTRY },
  "sources of a country, with bounces": {
    metrics: ["visitors", "visits", "bounce_rate", "visit_duration"],
    dimensions: ["visit:source"],
    filters: COUNTRY,
  },
  "country by browser": { metrics: ["visitors"], dimensions: ["visit:country", "visit:browser"] },
  "hours of a device": {
    metrics: ["visitors", "pageviews"],
    dimensions: ["time:hour"],
    filters: [["is", "visit:device", ["Mobile"]]],
  },
  "entry pages of a browser": {
    metrics: ["visitors", "visits"],
    dimensions: ["visit:entry_page"],
    filters: [["contains", "visit:browser", ["Safari"]]],
  },
  "scroll depth of pages": { metrics: ["visitors", "scroll_depth"], dimensions: ["event:page"] },
  "goals of a property": {
    metrics: ["visitors", "events", "conversion_rate"],
    dimensions: ["event:goal"],
    filters: [["is_not", "event:props:plan", ["pro"]]],
  },
  "revenue of who saw a page": {
    metrics: ["visitors", "orders", "gross_revenue"],
    dimensions: ["visit:channel"],
    filters: [["has_done", ["contains", "event:page", ["/collections/"]]]],
  },
};
const FUNNEL = {
  steps: [
    { filters: [["contains", "event:page", ["/products/"]]] },
    { filters: [["is", "event:name", ["add_to_cart"]]] },
    { filters: [["is", "event:name", ["purchase"]]] },
  ],
};

const now = (FIRST_DAY + days) * DAY_MS;
const rangeOf = (asked: Parameters<typeof resolveRange>[0]) =>
  valueFrom(resolveRange(asked, { zones: settings.zones, now }));

/** Of one question, or of several that are counted together. */
function planOf(...bodies: readonly object[]): CountPlan<Counting> {
  return countPlanOf(
    bodies.map((body) => {
      const question = valueFrom(parseQuestion({ site_id: "x", date_range: RANGE, ...body }));
      return valueFrom(planQuestion(question, rangeOf(question.dateRange), settings.zones));
    }),
  );
}

function funnelPlan(): CountPlan<Counting> {
  const report = valueFrom(REPORTS.funnel({ site_id: "x", date_range: RANGE, ...FUNNEL }, []));
  return reportPlanOf(report, rangeOf(report.question.dateRange));
}

const objects = new Map<string, Uint8Array>();
let gets = 0;
const stored = memoryArchive(objects);
const archive = {
  bucket: { ...stored, get: (...given: Parameters<typeof stored.get>) => [stored.get(...given), gets++][0] },
} as { readonly bucket: typeof stored };

async function sealDay(day: number): Promise<ScanPlace> {
  const place = { date: dateOf(day), partition: PARTITION };
  const folder = sealedFolder(place, "1-1-0");
  const writer = new SealedFileWriter(place, folder, 0);
  const rows = shopDay({ merchant: MERCHANT, day, events, isKnown: true })
    .toSorted((a, b) => a.timestamp - b.timestamp)
    .map((event, position) => ({
      partition: PARTITION,
      position,
      event: {
        ...event,
        receivedAt: event.timestamp + 40,
        scroll: position % 3 === 0 ? position % 100 : -1,
        props: position % 5 === 0 ? JSON.stringify({ plan: ["free", "pro", "team"][position % 3] }) : "",
      },
    }));
  for (let start = 0; start < rows.length; start += ROWS_WRITTEN)
    writer.add(blockOf(rows.slice(start, start + ROWS_WRITTEN)));
  const derived = derive(joinBlocks([blockOf(rows)], { isOnce: true }), day, under);
  writer.endMerchant(0, { bytes: encodeDerived(derived) as Uint8Array<ArrayBuffer>, under: derivedUnder(under, day) });
  const files: readonly SealedFile[] = [await writer.finish({ bucket: archive.bucket })];
  objects.set(derivedTableKey(folder), encodeDerivedTable(writer.derived, 1));
  const manifest = { ...place, generation: 1, before: rows.length, rows: rows.length, duplicates: 0, files };
  objects.set(manifestKey(folder), new TextEncoder().encode(encodeManifest(manifest)));
  const folders = new Map([[`${day} ${PARTITION}`, { day, partition: PARTITION, folder, lateMarks: 0, merchants: 1 }]]);
  const derivedUnderOf = values.facts ? undefined : () => derivedUnder(under, day);
  const search = { merchant: MERCHANT, places: [{ day, partition: PARTITION }], folders, derivedUnder: derivedUnderOf };
  return (await findScanPlaces(archive, search))[0] as ScanPlace;
}

interface Taken {
  readonly cpuMs: number;
  readonly gets: number;
}

async function count(plan: CountPlan<Counting>, places: readonly ScanPlace[]): Promise<Taken> {
  gets = 0;
  const before = process.cpuUsage();
  const counting = plan.open(under, "whole");
  const folders = new Map(places.map((place) => [`${place.day} ${place.partition}`, place]));
  const { columns, together } = plan;
  const ahead = new DerivedAhead(archive, places);
  const read = { settings, folders, recent: new Map(), removals: [], columns, together, ahead };
  for await (const rows of readTogether(archive, places, read)) {
    const problem = finish(counting.add(rows));
    if (problem !== undefined) throw new Error(JSON.stringify(problem));
  }
  const { user, system } = process.cpuUsage(before);
  return { cpuMs: (user + system) / 1_000, gets };
}

const places: ScanPlace[] = [];
for (let day = FIRST_DAY; day < FIRST_DAY + days; day++) places.push(await sealDay(day));
const bytes = [...objects.values()].reduce((sum, { length }) => sum + length, 0);
const plans: Record<string, CountPlan<Counting>> = Object.fromEntries(
  Object.entries(QUESTIONS).map(([name, body]) => [name, planOf(body)]),
);
plans["funnel of three steps"] = funnelPlan();
const panels = [
  "event:page",
  "visit:source",
  "visit:browser",
  "visit:device",
  "visit:entry_page",
  "event:name",
  "visit:os",
];
plans["seven panels of a country, together"] = planOf(
  ...panels.map((dimension) => ({ metrics: ["visitors"], dimensions: [dimension], filters: COUNTRY })),
);

const rows: Record<string, string | number>[] = [];
for (const [question, plan] of Object.entries(plans)) {
  if (values.only !== undefined && !question.includes(values.only)) continue;
  const all: Taken[] = [];
  for (let round = 0; round < rounds; round++) all.push(await count(plan, places));
  const fastest = all.toSorted((a, b) => a.cpuMs - b.cpuMs)[0] as Taken;
  rows.push({
    question,
    "us an event": rounded((fastest.cpuMs * 1_000) / (events * days)),
    "CPU ms": rounded(fastest.cpuMs),
    gets: fastest.gets,
  });
}
print("scan", rows, { events, days, rounds, bytesAnEvent: rounded(bytes / (events * days)) });

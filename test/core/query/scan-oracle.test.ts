// Columns against rows: random questions over random Days, counted from columns of codes and, by the
// oracle (test/support/row-scan.ts), event by event. What comes out is compared as a part of a job is
// written, so it is the same to the byte.

import fc from "fast-check";
import { expect, test } from "vitest";
import { blockOf, type EventColumns, joinBlocks } from "../../../core/archive/event-columns.ts";
import type { ArchivedEvent } from "../../../core/archive/file.ts";
import { duplicateKey } from "../../../core/counting/duplicate.ts";
import type { Event } from "../../../core/event.ts";
import { finish, Slices } from "../../../core/gradual.ts";
import { hash64Hex } from "../../../core/hash.ts";
import { zoneAt } from "../../../core/merchant.ts";
import type { Attribute } from "../../../core/query/attribute.ts";
import { ATTRIBUTES } from "../../../core/query/attribute.ts";
import { openBudgets } from "../../../core/query/budget.ts";
import { derive } from "../../../core/query/derived.ts";
import { planQuestion } from "../../../core/query/plan.ts";
import { parseQuestion } from "../../../core/query/question.ts";
import { resolveRange } from "../../../core/query/range.ts";
import { REPORTS, visitsOf } from "../../../core/query/report-count.ts";
import { closeScan, openScan } from "../../../core/query/scan.ts";
import { addRows } from "../../../core/query/scan-derived.ts";
import { encodeScan } from "../../../core/query/scan-part.ts";
import { type SeenUnder, seeDay } from "../../../core/query/seen.ts";
import { dayAt } from "../../../core/time.ts";
import { readBlocks } from "../../../storage/archive/column-block.ts";
import { decodeDerived, encodeDerived } from "../../../storage/archive/derived-file.ts";
import { encodeParquet } from "../../../storage/archive/parquet.ts";
import { CHROME, eventOf, GOOGLEBOT, IPHONE, settingsOf } from "../../support/events.ts";
import { valueFrom } from "../../support/questions.ts";
import { closeRowScan, encodeRowScan, openRowScan, scanRows, visitsIn } from "../../support/row-scan.ts";
import { seeRows } from "../../support/row-seen.ts";

const START = Date.UTC(2026, 2, 28);
const FIRST_DAY = Math.floor(START / 86_400_000);
const NOW = Date.UTC(2026, 3, 2, 12);
const ZONES = ["UTC", "Europe/Vienna", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe"];
const MATS = '[{"id":"A","name":"Mat","price":12.5,"quantity":2}]';
const MIXED =
  '[{"id":"A","name":"Mat","category":"Floor","price":12.5},{"id":"B","brand":"Acme","price":0.3333,"quantity":3}]';
const GOALS = [
  { name: "Signup", event: "signup" },
  { name: "Any page", page: "*" },
  { name: "Pay", page: "/pay" },
];
/** What the rules are until the middle of the range, and from then on. */
const RULES = [
  { goals: GOALS, returns: { drop: ["paypal.example"], admit: [] } },
  {
    goals: GOALS.slice(1),
    paths: { strip_ids: true, keep_query: ["q"], replace: [] },
    channels: [{ channel: "Friends", source: "*news*" }],
    asns: { drop: [64_500], admit: [] },
    hostnames: ["shop.example"],
    addresses: [{ name: "office", networks: ["192.0.2.0/24"] }],
    bots: { drop: ["*iphone*"], admit: ["*google*"] },
    orders: { keyed_only: true },
  },
];

const anyEvent = fc
  .record({
    minutes: fc.integer({ min: 0, max: 3 * 24 * 60 }),
    who: fc.nat(5),
    id: fc.nat(80),
    name: fc.constantFrom(
      ...(["pageview", "pageview", "pageview", "signup", "engagement", "purchase", "refund"] as const),
      ...(["order cancelled", "add_to_cart", "web_vitals", "$identify", "Sign Up"] as const),
    ),
    path: fc.constantFrom(
      "/",
      "/a",
      "/pay",
      "/a?q=1&utm_source=News&utm_medium=email",
      "/x/123#/cart?gclid=1",
      "/%23/b",
    ),
    host: fc.constantFrom("shop.example", "shop.example", "till.example"),
    referrer: fc.constantFrom(
      ...(["", "", "https://www.google.com/", "https://news.example/x", "https://shop.example/a"] as const),
      ...(["https://paypal.example/", "android-app://com.slack/", "nonsense"] as const),
    ),
    userAgent: fc.constantFrom(CHROME, CHROME, CHROME, IPHONE, GOOGLEBOT, ""),
    hints: fc.constantFrom(
      "",
      "",
      "",
      '{"brands":["Microsoft Edge"],"mobile":false,"platform":"Windows"}',
      '{"brands":["Headless"]}',
    ),
    verifiedBot: fc.constantFrom("", "", "", "", "", "", "Search Engine Crawler"),
    language: fc.constantFrom("de-AT", "en-US", ""),
    country: fc.constantFrom("AT", "IN", ""),
    region: fc.constantFrom("Tyrol", ""),
    format: fc.constantFrom("footfall", "plausible", "pixel"),
    fragment: fc.constantFrom(0, 0, 1),
    asn: fc.constantFrom(0, 0, 64_500, 16_509),
    excluded: fc.constantFrom("", "", "office"),
    dropped: fc.constantFrom("" as const, "" as const, "" as const, "duplicate" as const),
    revenue: fc.constantFrom(0, 0, 10_000, -5_000),
    currency: fc.constantFrom("", "EUR", "USD"),
    order: fc.constantFrom("", "", "A1", "A2"),
    products: fc.constantFrom("", "", MATS, MIXED),
    keyed: fc.constantFrom(0, 0, 1),
    passive: fc.constantFrom(0, 0, 0, 1),
    importNumber: fc.constantFrom(0, 0, 3),
    given: fc.constantFrom("", '{"browser":"chrome"}'),
    purpose: fc.constantFrom("", "", "", "prefetch"),
    props: fc.constantFrom("", '{"plan":"pro"}', '{"plan":"basic","__proto__":"x"}'),
    visitorKind: fc.constantFrom("" as const, "daily" as const, "known" as const),
    engagementMs: fc.constantFrom(0, 1_500, 20_000),
    scroll: fc.constantFrom(-1, 0, 40, 100),
    sequence: fc.nat(2),
    stream: fc.constantFrom(1, 2, 2 ** 30),
  })
  .map(({ minutes, who, id, path, host, ...facts }) =>
    eventOf({
      ...facts,
      id: `id ${id}`,
      timestamp: START + minutes * 60_000,
      receivedAt: START + minutes * 60_000 + 40 * facts.sequence,
      visitor: hash64Hex(`visitor ${who}`),
      url: `https://${host}${path}`,
    }),
  );
const IDS = Array.from({ length: 6 }, (_, who) => hash64Hex(`visitor ${who}`));

const VALUES = [
  "/a",
  "/",
  "shop.example",
  "Google",
  "AT",
  "Austria",
  "Chrome",
  "Signup",
  "Mat",
  "pro",
  "(none)",
  "Direct",
  "1",
  "e",
  "o",
  "a",
];
const NAMES = [...ATTRIBUTES.map(({ question }) => question), "event:props:plan"];
const { inner } = fc.letrec<{ comparison: unknown; inner: unknown }>((tie) => ({
  comparison: fc
    .tuple(
      fc.constantFrom("is", "is_not", "is_not", "contains", "contains", "contains_not", "matches"),
      fc.oneof(fc.constantFrom(...NAMES), fc.constantFrom("event:page", "event:name", "event:goal")),
      fc.array(fc.constantFrom(...VALUES), { minLength: 1, maxLength: 3 }),
    )
    .map((one) => one as unknown),
  inner: fc.oneof(
    { weight: 3, arbitrary: tie("comparison") },
    fc.tuple(fc.constantFrom("and", "or"), fc.array(tie("comparison"), { minLength: 1, maxLength: 3 })),
    fc.tuple(fc.constantFrom("not", "has_done", "has_not_done"), tie("comparison")),
    fc.tuple(fc.constantFrom("and", "or"), fc.tuple(tie("inner"), tie("comparison"))),
  ),
}));
const anyFilters = fc.oneof(
  fc.constant([]),
  fc.tuple(inner),
  fc.tuple(inner, inner),
  fc.tuple(fc.tuple(fc.constant("not"), inner)),
);
const anyRange = fc.constantFrom(
  ["2026-03-27", "2026-04-01"],
  ["2026-03-28", "2026-03-30"],
  ["2026-03-29", "2026-03-29"],
  "7d",
  "month",
);
const METRICS = [
  ["visitors"],
  ["visitors", "visits", "pageviews", "events", "total_revenue"],
  ["visitors", "visits", "bounce_rate", "visit_duration"],
  ["orders", "refunds", "units", "product_revenue", "gross_revenue"],
  ["scroll_depth", "time_on_page"],
  ["conversion_rate", "visitors"],
  ["group_conversion_rate", "percentage"],
];
const anyQuestion = fc.record({
  date_range: anyRange,
  metrics: fc.constantFrom(...METRICS),
  time: fc.constantFrom("", "", "time:minute", "time:hour", "time:day", "time:week"),
  dimensions: fc.oneof(
    { weight: 4, arbitrary: fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 3 }) },
    { weight: 1, arbitrary: fc.constantFrom(["event:page"], ["event:page", "visit:source"]) },
  ),
  filters: anyFilters,
});
const anyDay = fc.record({
  told: fc.array(anyEvent, { minLength: 1, maxLength: 50, size: "max" }),
  zone: fc.constantFrom(...ZONES),
  link: fc.constantFrom(undefined, undefined, [["is", "visit:country", ["AT"]]], [["is", "event:page", ["/a", "/"]]]),
  isSealed: fc.constantFrom(false, false, false, true),
  /** Whose visits count; -1 for all. */
  whose: fc.integer({ min: -1, max: 5 }),
  blocks: fc.integer({ min: 1, max: 3 }),
  shift: fc.nat(7),
  isDerived: fc.boolean(),
});

interface Rows {
  readonly day: number;
  readonly rows: readonly ArchivedEvent[];
  readonly columns: EventColumns;
}

/**
 * A merchant's Days as they may lie: in several blocks, not always in the order of their log; or in a sealed file, each
 * id once.
 */
function daysOf(
  told: readonly Event[],
  zone: string,
  { blocks, shift, isSealed }: { blocks: number; shift: number; isSealed: boolean },
): readonly Rows[] {
  const days = Map.groupBy(told, ({ timestamp }) => dayAt(zone, timestamp));
  return [...days].map(([day, own]) => {
    const rows = own.map((event, at) => ({
      partition: "pool-0",
      position: (at * 7 + shift) % (own.length * 8),
      event,
    }));
    if (isSealed) return { day, ...sealed(rows) };
    const size = Math.ceil(rows.length / blocks);
    const parts = Array.from({ length: blocks }, (_, at) => rows.slice(at * size, (at + 1) * size));
    return { day, rows, columns: joinBlocks(parts.map(blockOf)) };
  });
}

/** Rows as a seal leaves them, out of a file. */
function sealed(all: readonly ArchivedEvent[]): Pick<Rows, "rows" | "columns"> {
  const ids = new Set<string>();
  const rows = all
    .toSorted((a, b) => a.position - b.position)
    .filter(({ event }) => event.dropped === "duplicate" || ids.size < ids.add(duplicateKey(event)).size);
  const bytes = encodeParquet({ date: "2026-03-27", partition: "pool-0", first: 0, rows });
  return { rows, columns: joinBlocks([...readBlocks(bytes, { isWanted: () => true })], { isOnce: true }) };
}

function underOf(zone: string): SeenUnder {
  const [first, then] = RULES as [object, object];
  const settings = settingsOf(zone, {
    rules: [
      { version: 1, from: 0, rules: first as never },
      { version: 2, from: START + 30 * 3_600_000, rules: then as never },
      { version: 3, days: [FIRST_DAY, FIRST_DAY + 2], withoutImport: 3 },
    ],
  });
  return { settings, global: [] };
}

/** The same rows as a seal derives them, where questions may read those: through no link, and in one pass. */
function derivedOf(
  { columns, day }: Rows,
  { under, whose, link, isDerived }: { under: SeenUnder; whose: number; link: unknown; isDerived: boolean },
): EventColumns {
  if (!isDerived || whose >= 0 || link !== undefined) return columns;
  derivedDays += 1;
  return decodeDerived(encodeDerived(derive(columns, day, under)) as Uint8Array);
}
let derivedDays = 0;

const countedOf = (whose: number) => (visitor: string) => visitor !== IDS[whose];

test.each([
  ["columns come to", anyDay],
  ["derived rows come to", anyDay.map((day) => ({ ...day, whose: -1, link: undefined, isDerived: true }))],
])("[SCN-9] %s what events come to one by one, whatever is asked", (_, someDay) => {
  let compared = 0;
  derivedDays = 0;
  fc.assert(
    fc.property(someDay, anyQuestion, ({ told, zone, link, whose, ...lie }, { time, dimensions, ...body }) => {
      const under = underOf(zone);
      const asked = { site_id: "x", ...body, dimensions: [...(time === "" ? [] : [time]), ...dimensions] };
      const planned = () => {
        const question = parseQuestion(asked, link ?? []);
        if (!question.ok) return undefined;
        const { zones } = under.settings;
        const range = resolveRange(question.value.dateRange, { zones, now: NOW });
        const plan = range.ok ? planQuestion(question.value, range.value, zones) : undefined;
        return plan?.ok ? plan.value : undefined;
      };
      const [own, oracle] = [planned(), planned()];
      fc.pre(own !== undefined && oracle !== undefined);
      const [scan, rowScan] = [openScan(own, under), openRowScan(oracle, under)];
      const isCounted = countedOf(whose);
      for (const one of daysOf(told, zone, lie)) {
        const { day, rows } = one;
        if (day < own.range.fromDay || day >= own.range.toDay) continue;
        const columns = derivedOf(one, { under, whose, link, ...lie });
        expect(finish(addRows(scan, { day, rows: columns, isCounted }))).toEqual(
          scanRows(rowScan, { day, rows, isCounted }),
        );
      }
      if (scan.sums.size > 0) compared += 1;
      expect(encodeScan(scan)).toBe(encodeRowScan(rowScan));
      expect(closeScan(scan)).toEqual(closeRowScan(rowScan));
      // And take no more steps: what filters leave of goals and products is paid for once for each code. The oracle
      // does not pay for several groups of one event.
      if (own.question.breakdowns.every(hasOneValue))
        expect(own.question.budgets.own.left).toBeGreaterThanOrEqual(oracle.question.budgets.own.left);
      expect(own.question.budgets.fixed.left).toBe(oracle.question.budgets.fixed.left);
    }),
    { numRuns: 600 },
  );
  expect(compared).toBeGreaterThan(100);
  expect(derivedDays).toBeGreaterThan(10);
});

test("[SCN-9] reports see the visits that events make one by one", () => {
  const bodies = {
    funnel: {
      steps: [{ filters: [["is", "event:page", ["/", "/a"]]] }, { filters: [["contains", "event:name", ["e"]]] }],
    },
    retention: {},
    paths: { depth: 2 },
  };
  fc.assert(
    fc.property(anyDay, anyRange, anyFilters, ({ told, zone, link, whose, ...lie }, dateRange, filters) => {
      const under = underOf(zone);
      const { zones } = under.settings;
      for (const [name, body] of Object.entries(bodies) as [keyof typeof bodies, object][]) {
        const asked = { site_id: "x", date_range: dateRange, filters, ...body };
        const parsed = [0, 1].map(() => REPORTS[name](asked, link ?? [], openBudgets()));
        const [own, oracle] = parsed as [(typeof parsed)[number], (typeof parsed)[number]];
        if (!own.ok || !oracle.ok) continue;
        const range = valueFrom(resolveRange(own.value.question.dateRange, { zones, now: NOW }));
        const [counter, rowCounter] = [own.value.open(range, "part"), oracle.value.open(range, "part")];
        const isCounted = countedOf(whose);
        for (const one of daysOf(told, zone, lie).toSorted((a, b) => a.day - b.day)) {
          const { day, rows } = one;
          const columns = derivedOf(one, { under, whose, link, ...lie });
          const through = { under, view: own.value.question.view };
          const visits = finish(visitsOf({ day, partitions: [columns], isCounted }, through));
          finish(counter.add({ day, visits, slices: new Slices() }));
          const rowVisits = visitsIn({ day, rows, isCounted }, { under, view: oracle.value.question.view });
          finish(rowCounter.add({ day, visits: rowVisits, slices: new Slices() }));
        }
        expect(counter.encode()).toBe(rowCounter.encode());
      }
    }),
    { numRuns: 120 },
  );
});

test("[SCN-9] whatever is not counted is told of with its reason, as of events one by one", () => {
  fc.assert(
    fc.property(anyDay, ({ told, zone, whose, ...lie }) => {
      const under = underOf(zone);
      for (const { day, rows, columns } of daysOf(told, zone, lie)) {
        const isCounted = countedOf(whose);
        const show = ({ event, opinion }: { readonly event: Event; readonly opinion: { readonly dropped: string } }) =>
          `${event.visitor} ${event.id} ${opinion.dropped}`;
        expect(seeDay({ day, rows: columns, isCounted }, under).dropped.map(show).sort()).toEqual(
          seeRows({ day, rows, isCounted }, under).dropped.map(show).sort(),
        );
      }
      expect(zoneAt(under.settings.zones, START)).toBe(zone);
    }),
    { numRuns: 100 },
  );
});

function hasOneValue({ question, ofProduct }: Attribute): boolean {
  return ofProduct === undefined && question !== "event:goal" && question !== "event:property";
}

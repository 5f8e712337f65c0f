// The filters of exports: whatever the tree, the exported rows are those that a plain model selects, which puts visits
// together and compares texts by itself. Sealed Days, open ones, late events and events that are not counted; of a Day
// that memory does not hold, too.

import fc from "fast-check";
import { expect, test } from "vitest";
import { bundleKey } from "../../../core/archive/object-key.ts";
import type { Event } from "../../../core/event.ts";
import { EXPORT_STEPS_MAX, EXPORT_VISITS_BYTES_MAX, SCAN_DAY_ROWS_MAX, SEAL_AFTER_MS } from "../../../core/limits.ts";
import { openBudgets } from "../../../core/query/budget.ts";
import { needsVisits, parseFilters } from "../../../core/query/filter.ts";
import { DAY_MS, dateOf } from "../../../core/time.ts";
import { findExport, readExport } from "../../../storage/archive/archive-export.ts";
import { admitterOf } from "../../../storage/archive/export-filter.ts";
import { encodeParquet } from "../../../storage/archive/parquet.ts";
import { CHROME, eventOf, GOOGLEBOT, IPHONE, settingsOf, TUESDAY } from "../../support/events.ts";
import { memoryArchive } from "../../support/memory-bucket.ts";
import { type NaiveVisit, naiveVisits } from "../../support/naive.ts";
import { valueFrom } from "../../support/questions.ts";
import { SealedWorld } from "../../support/sealed-world.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);
const SETTINGS = settingsOf("UTC", { merchant: 1 });

/** A filter as a caller sends it, and what it means in plain words. */
interface Meant {
  readonly sent: readonly unknown[];
  readonly means: (event: Event, visit: NaiveVisit) => boolean;
}

const pageOf = ({ url }: Event) => new URL(url).pathname;
const pageviews = ({ events }: NaiveVisit) => events.filter(({ name }) => name === "pageview");
const VALUES: readonly (readonly [
  name: string,
  isOfVisit: boolean,
  of: (event: Event, visit: NaiveVisit) => string,
  some: readonly string[],
])[] = [
  ["event:page", false, pageOf, ["/", "/a", "/pay"]],
  ["event:name", false, ({ name }) => name, ["pageview", "signup", "engagement"]],
  ["event:props:plan", false, ({ props }) => (props === "" ? "(none)" : JSON.parse(props).plan), ["pro", "(none)"]],
  ["visit:country", true, (_, { start }) => start.country || "(not set)", ["AT", "IN", "(not set)"]],
  ["visit:language", true, (_, { start }) => start.language.split("-")[0] || "(not set)", ["en", "de"]],
  ["visit:entry_page", true, (_, visit) => pageOr(pageviews(visit)[0]), ["/", "/a", "(none)"]],
  ["visit:exit_page", true, (_, visit) => pageOr(pageviews(visit).at(-1)), ["/", "/pay", "(none)"]],
];
const pageOr = (event: Event | undefined) => (event === undefined ? "(none)" : pageOf(event));

const comparisonOf = (values: typeof VALUES) =>
  fc
    .record({
      value: fc.constantFrom(...values),
      operator: fc.constantFrom("is", "contains", "matches"),
      isNegated: fc.boolean(),
      isFolded: fc.boolean(),
      picks: fc.uniqueArray(fc.nat(2), { minLength: 1, maxLength: 2 }),
    })
    .map(({ value: [name, , of, some], operator, isNegated, isFolded, picks }): Meant => {
      const texts = picks.map((pick) => some[pick % some.length] as string);
      const folds = isFolded && operator !== "matches" && !(name === "visit:country" && operator === "is");
      const clauses = folds ? texts.map((text) => text.toUpperCase()) : texts;
      const sentAs = operator === "matches" ? clauses.map((text) => `^${text.replace(/[()]/g, "\\$&")}$`) : clauses;
      const fold = (text: string) => (folds ? text.toLowerCase() : text);
      const fits = (shown: string) =>
        clauses.some((clause) =>
          operator === "contains" ? fold(shown).includes(fold(clause)) : fold(shown) === fold(clause),
        );
      return {
        sent: [isNegated ? `${operator}_not` : operator, name, sentAs, ...(folds ? [{ case_sensitive: false }] : [])],
        means: (event, visit) => fits(of(event, visit)) !== isNegated,
      };
    });

const hasDone = fc
  .record({ inner: comparisonOf(VALUES.filter(([, isOfVisit]) => !isOfVisit)), isNegated: fc.boolean() })
  .map(
    ({ inner, isNegated }): Meant => ({
      sent: [isNegated ? "has_not_done" : "has_done", inner.sent],
      means: (_, visit) => visit.events.some((event) => inner.means(event, visit)) !== isNegated,
    }),
  );

const { tree } = fc.letrec<{ tree: Meant }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    comparisonOf(VALUES),
    hasDone,
    fc.record({ is: fc.constantFrom("and", "or"), of: fc.array(tie("tree"), { minLength: 1, maxLength: 3 }) }).map(
      ({ is, of }): Meant => ({
        sent: [is, of.map(({ sent }) => sent)],
        means: (event, visit) =>
          is === "and" ? of.every(({ means }) => means(event, visit)) : of.some(({ means }) => means(event, visit)),
      }),
    ),
    tie("tree").map(
      ({ sent, means }): Meant => ({
        sent: ["not", sent],
        means: (event, visit) => !means(event, visit),
      }),
    ),
  ),
}));

const events = fc
  .uniqueArray(
    fc.record({
      id: fc.nat({ max: 200 }).map(String),
      who: fc.nat(3),
      minutes: fc.nat(600),
      name: fc.constantFrom("pageview", "pageview", "signup", "engagement"),
      page: fc.constantFrom("/", "/a", "/pay"),
      country: fc.constantFrom("AT", "IN", ""),
      language: fc.constantFrom("en-GB", "de-AT", ""),
      props: fc.constantFrom("", '{"plan":"pro"}', '{"plan":"basic"}'),
      userAgent: fc.constantFrom(CHROME, IPHONE, GOOGLEBOT),
      merchant: fc.constantFrom(1, 1, 1, 2),
    }),
    { maxLength: 40, selector: ({ id }) => id },
  )
  .map((all) =>
    all.map(({ who, minutes, page, ...facts }) => ({
      ...facts,
      visitor: `000000000000000${who}`,
      timestamp: TUESDAY + minutes * 60_000,
      url: `https://shop.example${page}`,
    })),
  );

test("[EXP-10] exported rows are those that the naive model selects, whatever the filter", async () => {
  let exported = 0;
  let visits = 0;
  await fc.assert(
    fc.asyncProperty(events, events, tree, fc.boolean(), async (first, second, meant, isSealed) => {
      const it = new SealedWorld([SETTINGS, settingsOf("UTC", { merchant: 2 })]);
      it.it.now = TUESDAY + DAY_MS;
      const early = new Set(first.map(({ id }) => id));
      const later = second.filter(({ id }) => !early.has(id));
      // Of events of one instant, what was received first comes first.
      const sent: Event[] = [];
      const send = async (some: typeof first) => {
        sent.push(...some.map((one) => eventOf({ ...one, receivedAt: it.it.now })));
        if (some.length > 0) await it.send(some);
      };
      await send(first);
      await it.settle();
      if (isSealed) {
        it.it.now = TUESDAY + 2 * DAY_MS + SEAL_AFTER_MS;
        await it.settle();
        await it.seal();
      }
      await send(later);
      await it.settle();
      const filter = valueFrom(parseFilters([meant.sent]));
      visits += needsVisits(filter) ? 1 : 0;
      const all = sent.filter(({ merchant }) => merchant === 1);
      const counted = all.filter(({ userAgent }) => userAgent !== GOOGLEBOT);
      const visitsOfDays = [DAY, DAY + 1].flatMap((day) => naiveVisits(counted, SETTINGS, dateOf(day)));
      // Of a report that belongs to no visit is known what it says of itself, and nothing of a visit.
      const inVisits = new Set(visitsOfDays.flatMap((visit) => visit.events));
      const alone = needsVisits(filter) ? [] : counted.filter((event) => !inVisits.has(event));
      const single = alone.map((start) => ({ visitor: start.visitor, events: [start], start, run: [start] }));
      const expected = [...visitsOfDays, ...single].flatMap((visit) =>
        visit.events.filter((event) => meant.means(event, visit)).map(({ id }) => id),
      );
      const rows = await exportedIds(it, filter);
      exported += rows.length;
      expect([...rows].sort()).toEqual([...expected].sort());
    }),
    { numRuns: 150 },
  );
  expect([exported > 150, visits > 30]).toEqual([true, true]);
});

async function exportedIds(
  { objects, d1 }: Pick<SealedWorld, "objects" | "d1">,
  filter: ReturnType<typeof filterOf>,
  rowsMax = SCAN_DAY_ROWS_MAX,
) {
  const source = { archive: { bucket: memoryArchive(objects) }, ledger: d1 };
  const days = [DAY, DAY + 1].map((day) => ({ day, partition: "pool-0" }));
  const places = await findExport(source, { settings: SETTINGS, places: days, recent: new Map() });
  const admit = await admitterOf(source, {
    places,
    filter,
    budgets: openBudgets(EXPORT_STEPS_MAX),
    under: { settings: SETTINGS, global: [] },
    rowsMax,
  });
  if (typeof admit === "string") throw new Error(admit);
  const ids: string[] = [];
  for await (const block of readExport(source, { settings: SETTINGS, places, admit }))
    ids.push(...block.map(({ event }) => event.id));
  return ids;
}

function filterOf(...sent: readonly unknown[]) {
  return valueFrom(parseFilters(sent));
}

/** As if memory held no more. */
const ROWS_MAX = 20_000;

/** A Day of more rows than are counted at once: each visitor enters on one page, and sees another a minute later. */
function largeDay(): SealedWorld {
  const it = new SealedWorld([SETTINGS]);
  const place = { date: dateOf(DAY), partition: "pool-0" };
  const count = Math.ceil((ROWS_MAX * 1.1) / 2) * 2;
  const rows = Array.from({ length: count }, (_, position) => {
    const visitor = (position >> 1).toString(16).padStart(16, "0");
    const url = `https://shop.example/${position % 2 === 0 ? (position >> 1) % 10 : "next"}`;
    const event = eventOf({ merchant: 1, id: `e${position}`, visitor, url, timestamp: TUESDAY + position });
    return { partition: place.partition, position, event };
  });
  it.objects.set(bundleKey({ ...place, first: 0 }), encodeParquet({ ...place, first: 0, rows }));
  return it;
}

test("[EXP-10] a Day of more rows than memory holds is read once for each part of its visitors", async () => {
  const ids = await exportedIds(
    largeDay(),
    filterOf(["is", "visit:entry_page", ["/3"]], ["is", "event:page", ["/next"]]),
    ROWS_MAX,
  );
  expect(ids).toHaveLength(Math.ceil(ROWS_MAX * 1.1) / 2 / 10);
  expect(ids.slice(0, 2)).toEqual(["e7", "e27"]);
});

test("[EXP-10] filters of visits that would have to read too much are refused before the first row; those of events are not", async () => {
  const it = new SealedWorld([SETTINGS]);
  await it.send([{ merchant: 1, id: "a", timestamp: TUESDAY }]);
  await it.settle();
  const source = { archive: { bucket: memoryArchive(it.objects) }, ledger: it.d1 };
  const found = await findExport(source, {
    settings: SETTINGS,
    places: [{ day: DAY, partition: "pool-0" }],
    recent: new Map(),
  });
  const cost = { objects: 1, bytes: EXPORT_VISITS_BYTES_MAX + 1 };
  const places = found.map((place) => ({ ...place, folders: place.folders.map((one) => ({ ...one, cost })) }));
  const asked = { places, budgets: openBudgets(), under: { settings: SETTINGS, global: [] } };
  const ofVisits = filterOf(["has_done", ["is", "event:page", ["/"]]]);
  expect(await admitterOf(source, { ...asked, filter: ofVisits })).toBe("bytes");
  expect(typeof (await admitterOf(source, { ...asked, filter: filterOf(["is", "event:page", ["/"]]) }))).toBe(
    "function",
  );
});

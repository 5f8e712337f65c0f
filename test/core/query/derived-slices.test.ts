// Whoever sends page views to a shop chooses how many different pages a Day has. Questions about derived rows give way
// while they judge them, and columns that would take too long to unpack are not derived at all.

import { expect, test } from "vitest";
import { columnsOf } from "../../../core/archive/event-columns.ts";
import type { Gradual } from "../../../core/gradual.ts";
import { finish } from "../../../core/gradual.ts";
import { DERIVED_COLUMN_MAX, SLICE_EVENTS } from "../../../core/limits.ts";
import { attributeOf } from "../../../core/query/attribute.ts";
import { derive } from "../../../core/query/derived.ts";
import { JudgedRows } from "../../../core/query/row-judge.ts";
import { seeColumns, type VisitRuns } from "../../../core/query/seen.ts";
import { DAY_MS } from "../../../core/time.ts";
import { decodeDerived, encodeDerived } from "../../../storage/archive/derived-file.ts";
import { always, eventOf, settingsOf, TUESDAY } from "../../support/events.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);
const GOALS = Array.from({ length: 50 }, (_, at) => ({ name: `Goal ${at}`, page: `/*a*${at}*` }));
const UNDER = { settings: settingsOf("UTC", { rules: always({ goals: GOALS }) }), global: [] };

function derivedPages(count: number, pageOf: (at: number) => string) {
  const events = Array.from({ length: count }, (_, at) =>
    eventOf({ id: `e${at}`, timestamp: TUESDAY + at, url: `https://shop.example/${pageOf(at)}` }),
  );
  const rows = columnsOf(events.map((event, position) => ({ partition: "pool-0", position, event })));
  return encodeDerived(derive(rows, DAY, UNDER));
}

test("[LIM-12] of derived rows goals are judged, and attributes gone through, slice by slice", () => {
  const count = 5_000;
  const rows = decodeDerived(derivedPages(count, (at) => `a${at}`) as Uint8Array);
  const seen = finish(seeColumns({ rows, day: DAY }, UNDER));
  expect(slicesOf(seen.judgeGoals())).toBeGreaterThan((count / SLICE_EVENTS) * 0.2);
  expect(seen.opinions.goals.values.filter((value) => (value?.goals ?? []).length > 0).length).toBeGreaterThan(0);
  const attributes = ["event:page", "event:goal", "visit:source"].flatMap((name) => attributeOf(name) ?? []);
  const judged = JudgedRows.of(seen, { runs: seen.runs as VisitRuns, day: DAY, attributes });
  expect(slicesOf(judged)).toBeGreaterThan(attributes.length - 1);
});

test("[LIM-12] [SCN-10] a column that takes long to unpack is not derived", () => {
  const long = "x".repeat(1_000);
  const fit = 0.4 * (DERIVED_COLUMN_MAX / long.length);
  expect(derivedPages(fit, (at) => `${long}${at}`)).toBeDefined();
  expect(derivedPages(3 * fit, (at) => `${long}${at}`)).toBeUndefined();
});

function slicesOf(work: Gradual<unknown>): number {
  let slices = 1;
  while (work.next().done !== true) slices += 1;
  return slices;
}

// Who imports rollups into a shop of their own chooses how many values each Day has, and asks for all of them. Adding
// them up is paid, and gives way, by the values and not by the Days.

import { expect, test } from "vitest";
import type { ImportedRow } from "../../core/imported/table.ts";
import { IMPORTED_ROWS_MAX, IMPORTED_ROWS_OF_ROLLUP } from "../../core/limits.ts";
import { accepted } from "../../core/outcome.ts";
import { planQuestion } from "../../core/query/plan.ts";
import { parseQuestion } from "../../core/query/question.ts";
import { resolveRange } from "../../core/query/range.ts";
import { dateOf } from "../../core/time.ts";
import type { Merchant } from "../../storage/directory/merchants.ts";
import { writeImported } from "../../storage/ledger/imported.ts";
import type { Deps } from "../../workers/query/deps.ts";
import { findImports } from "../../workers/query/imported.ts";
import { makeDatabases } from "../support/databases.ts";
import { settingsOf } from "../support/events.ts";
import { valueFrom } from "../support/questions.ts";

const DAY = 20_000;
const DAYS = 10;
const ZONES = settingsOf("UTC").zones;

test("[LIM-12] [LIM-14] imported Days of thousands of values are added up value by value, not Day by Day", async () => {
  const { ledgers } = makeDatabases();
  const row = (at: number): ImportedRow => ({ values: [`b${at}`], counts: [1, 1, 1, 1, 1] });
  const rows = Array.from({ length: IMPORTED_ROWS_MAX }, (_, at) => row(at));
  for (let day = DAY; day < DAY + DAYS; day++)
    await writeImported(ledgers.ofMerchant(1), {
      merchant: 1,
      number: 1,
      table: "browsers",
      days: new Map([[day, rows]]),
    });
  const paid: number[] = [];
  const gaveWay: number[] = [];
  const deps = {
    ledgers,
    now: () => (DAY + 100) * 86_400_000,
    reading: { ofRollups: (count: number) => paid.push(count) > 0 },
    rollupTurn: {
      reading: async <T>(_: number, read: () => Promise<T>) => read(),
      after: async (count: number) => void gaveWay.push(count),
    },
  } as unknown as Deps;
  const imported = [
    {
      number: 1,
      from: DAY,
      to: DAY + DAYS,
      source: "plausible",
      tables: { browsers: ["visitors", "visits", "bounces", "duration_s", "pageviews"] },
    },
  ];
  const merchant = { id: "x", number: 1, imported, currency: "EUR", zones: ZONES } as unknown as Merchant;
  const asked = {
    site_id: "x",
    metrics: ["visitors"],
    dimensions: ["visit:browser"],
    date_range: [dateOf(DAY), dateOf(DAY + DAYS - 1)],
  };
  const question = valueFrom(parseQuestion(asked));
  const range = valueFrom(resolveRange(question.dateRange, { zones: ZONES, now: deps.now() }));
  const plan = valueFrom(planQuestion(question, range, ZONES));
  const none = { groups: [], standardError: 0, cutBuckets: 0, orderPlaces: 0, source: "rollups" as const };
  const found = await findImports([plan], async () => accepted(none), {
    merchant,
    deps,
    cost: { rows: 0, objects: 0, bytes: 0 },
    known: { rules: [], eventsFrom: 0, openFrom: DAY + 90 },
  });
  expect("ok" in found && found.ok && found.value?.plans[0]?.sums.size).toBe(IMPORTED_ROWS_MAX);
  const rollups = Math.ceil((IMPORTED_ROWS_MAX + 1) / IMPORTED_ROWS_OF_ROLLUP);
  expect(paid).toEqual(Array.from({ length: DAYS }, () => rollups));
  expect(gaveWay).toEqual(paid);
});

// What a month has cost so far: counts of isolates added up in ledgers, at list prices.

import { expect, test } from "vitest";
import { zeroMeter } from "../../../core/meter.ts";
import { costLines, monthOf, monthStart, totalUsd } from "../../../core/watch/cost.ts";
import { addToMonth, MeterKeeper, readMonth } from "../../../storage/ledger/month-meter.ts";
import { makeDatabases } from "../../support/databases.ts";

const AT = Date.parse("2026-11-16T00:00:00Z");

test("[WCH-7] what was counted is added to its month once, and what could not be is added later", async () => {
  const { ledgers } = makeDatabases();
  const [ledger] = ledgers.all;
  if (ledger === undefined) throw new Error("there is a ledger");
  const lines: object[] = [];
  const log = (line: object) => void lines.push(line);
  const meter = zeroMeter();
  const keeper = new MeterKeeper(meter);
  const keep = (now: number, db = ledger) => keeper.keep(db, { now, log, everyMs: 1_000 });
  expect(keeper.isDue({ now: AT, everyMs: 1_000 })).toBe(false); // the first look only begins the time
  await keep(AT + 999);
  expect(await readMonth(ledger, "2026-11")).toEqual(zeroMeter());
  meter.worker_requests += 5;
  await keep(AT + 1_000);
  const before = 5;
  expect((await readMonth(ledger, "2026-11")).worker_requests).toBe(before);
  meter.worker_requests += 7;
  await keep(AT + 1_500);
  expect((await readMonth(ledger, "2026-11")).worker_requests).toBe(before);
  // A ledger that does not answer: it is logged, and counted with what comes next.
  const silent = {
    prepare: () => {
      throw new Error("overloaded");
    },
  } as unknown as D1Database;
  await keep(AT + 2_000, silent);
  expect(lines).toEqual([{ event: "meter_failed", error: expect.stringContaining("overloaded") }]);
  await keep(AT + 3_000);
  expect((await readMonth(ledger, "2026-11")).worker_requests).toBe(before + 7);
  // The next month begins with nothing.
  meter.worker_requests += 2;
  await keep(Date.parse("2026-12-01T00:00:01Z"));
  expect((await readMonth(ledger, "2026-12")).worker_requests).toBe(2);
  expect((await readMonth(ledger, "2026-11")).worker_requests).toBe(before + 7);
});

test("[WCH-7] several isolates add to one row", async () => {
  const { ledgers } = makeDatabases();
  const [ledger] = ledgers.all;
  if (ledger === undefined) throw new Error("there is a ledger");
  const added = { ...zeroMeter(), r2_class_a: 3, d1_rows_read: 1_000 };
  await Promise.all([addToMonth(ledger, "2026-11", added), addToMonth(ledger, "2026-11", added)]);
  expect(await readMonth(ledger, "2026-11")).toEqual({ ...zeroMeter(), r2_class_a: 6, d1_rows_read: 2_000 });
});

test("[WCH-7] lines are operations at list prices, and what is estimated says so", () => {
  const metered = { ...zeroMeter(), worker_requests: 10_000_000, d1_rows_written: 2_000_000, r2_class_a: 1_000_000 };
  const lines = costLines({ at: AT, metered, partitions: 10, databaseBytes: 20e9, archiveBytes: 3e12 });
  const of = (line: string) => lines.find((one) => one.line === line);
  expect(of("worker_requests")).toEqual({ line: "worker_requests", count: 1e7, usd: 3, basis: "counted" });
  expect(of("d1_rows_written")?.usd).toBeCloseTo(2);
  expect(of("r2_class_a")?.usd).toBeCloseTo(4.5);
  expect(of("worker_cpu_ms")).toMatchObject({ basis: "estimated", count: 4e6, usd: expect.closeTo(0.08) });
  // Half a month: 15 of 30 Days of 20 GB, and ten objects that never slept.
  expect(of("d1_gb_months")).toMatchObject({ basis: "estimated", usd: expect.closeTo(7.5) });
  expect(of("r2_gb_months")).toMatchObject({ basis: "estimated", count: 1_500, usd: expect.closeTo(22.5) });
  expect(of("partition_gb_s")?.usd).toBeCloseTo(10 * 0.128 * 15 * 86_400 * 12.5e-6);
  expect(totalUsd(lines)).toBeCloseTo(lines.reduce((sum, { usd }) => sum + usd, 0));
  expect([monthOf(AT), monthStart(AT)]).toEqual(["2026-11", Date.parse("2026-11-01T00:00:00Z")]);
});

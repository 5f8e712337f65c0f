// What an operator asks of all ledgers at once: lists in pages, each row once, and a receipt by its id alone.

import { expect, test } from "vitest";
import { DAY_MS } from "../../../core/time.ts";
import { noteClosed } from "../../../storage/ledger/sealed-day.ts";
import { ADMIN_TOKEN, startQueryWorker } from "../../support/query-worker.ts";

const LEDGERS = 4;
const DAY = Date.UTC(2026, 2, 1) / DAY_MS;

async function pages(path: string, of: string): Promise<{ readonly rows: object[]; readonly pages: number }> {
  const worker = await filled();
  const rows: object[] = [];
  for (let [after, count] = ["", 1]; ; count++) {
    const { status, body } = await worker.ask("GET", `${path}limit=2${after}`, { token: ADMIN_TOKEN });
    expect(status).toBe(200);
    rows.push(...body[of]);
    if (body.next === null) return { rows, pages: count };
    after = `&after=${encodeURIComponent(body.next)}`;
  }
}

/** Three erasures and three closed Days in each ledger but one. */
async function filled() {
  const worker = startQueryWorker(undefined, LEDGERS);
  for (const [position, ledger] of worker.ledgers.all.entries()) {
    if (position === 2) continue;
    for (let number = 1; number <= 3; number++)
      await ledger
        .prepare(
          `INSERT INTO erasures (id, merchant, kind, visitor, from_day, to_day, state, created_at)
           VALUES (?, 1, 'visitor', 'aa', 0, 1, 'done', 0)`,
        )
        .bind(`ers_${position}_${number}`)
        .run();
    const places = [0, 1, 2].map((day) => ({ day: DAY + day, partition: `pool-${position}` }));
    await noteClosed(ledger, { places, now: 0 });
  }
  return worker;
}

test("[LED-9] erasures of all ledgers come page by page, ledger after ledger, each once", async () => {
  const { rows, pages: count } = await pages("/api/v1/erasures?", "erasures");
  const ids = [0, 1, 3].flatMap((position) => [3, 2, 1].map((number) => `ers_${position}_${number}`));
  expect(rows.map((row) => (row as { id: string }).id)).toEqual(ids);
  expect(count).toBe(5);
});

test("[LED-9] closed Days of all ledgers come page by page, ledger after ledger, each once", async () => {
  const { rows } = await pages("/api/v1/archive/days?from=2026-03-01&to=2026-03-09&", "days");
  const shown = rows.map((row) => row as { date: string; partition: string });
  const places = [0, 1, 3].flatMap((position) => [1, 2, 3].map((day) => `2026-03-0${day} pool-${position}`));
  expect(shown.map(({ date, partition }) => `${date} ${partition}`)).toEqual(places);
});

test("[LED-9] a receipt is found by its id, whichever ledger has it; a page that is none is refused", async () => {
  const worker = await filled();
  const get = (path: string) => worker.ask("GET", path, { token: ADMIN_TOKEN });
  expect((await get("/api/v1/erasures/ers_3_2")).body).toMatchObject({ id: "ers_3_2", state: "done" });
  expect((await get("/api/v1/erasures/ers_2_1")).status).toBe(404);
  expect((await get("/api/v1/erasures?after=first")).status).toBe(400);
});

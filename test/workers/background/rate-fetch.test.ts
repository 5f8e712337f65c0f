// Exchange rates that the cron fetches: when, what becomes of them, and of files that are none.

import { describe, expect, test } from "vitest";
import { parseDate } from "../../../core/time.ts";
import { readFetchedAt } from "../../../storage/directory/rates.ts";
import { fetchRates, isDue } from "../../../workers/background/rate-fetch.ts";
import { migratedDatabase } from "../../support/query-worker.ts";

const day = (date: string) => parseDate(date) as number;

describe("[RAT-6] the cron fetches rates once a day", () => {
  const CSV = "Date, USD, JPY, \n20 November 2026, 1.0562, 164.18, \n";
  const AT = Date.parse("2026-11-20T16:05:00Z");

  function cron(
    answers: readonly (() => Response | Promise<Response>)[],
    ratesUrl = "https://rates.example/daily.csv?key=secret",
  ) {
    const db = migratedDatabase();
    const asked: string[] = [];
    const lines: object[] = [];
    const run = async (now: number) => {
      const fetch = async (url: string) => {
        asked.push(url);
        return await (answers[asked.length - 1] as () => Response | Promise<Response>)();
      };
      await fetchRates({
        directory: db,
        now: () => now,
        log: (line) => void lines.push(line),
        ratesUrl,
        fetch,
      });
    };
    const known = async () => (await db.prepare("SELECT day, per_euro FROM rates ORDER BY day").all()).results;
    return { db, asked, lines, run, known };
  }
  const ok = () => new Response(CSV);

  test("after the central bank has published, whatever number of crons there are", async () => {
    const { asked, lines, run, known } = cron([ok, ok]);
    await run(AT);
    await run(AT + 300_000);
    await run(Date.parse("2026-11-21T15:59:00Z"));
    expect(asked).toEqual(["https://rates.example/daily.csv?key=secret"]);
    await run(Date.parse("2026-11-21T16:00:00Z"));
    expect(asked).toHaveLength(2);
    expect(await known()).toEqual([{ day: day("2026-11-20"), per_euro: '{"USD":"1.0562","JPY":"164.18"}' }]);
    expect(lines).toEqual([
      { event: "rates_fetched", days: 1, added: 1, changed: 0 },
      { event: "rates_fetched", days: 1, added: 0, changed: 0 },
    ]);
  });

  test.each([
    ["an error", () => new Response("busy", { status: 503 }), "Error: answered 503"],
    ["no answer", () => Promise.reject(new Error("connection refused")), "Error: connection refused"],
    ["another file", () => new Response("<html>"), "Error: The file is XML and has no <Cube"],
    ["half a file", () => new Response("Date,USD\n2026-11-20,1.05\n2026-11-19,1."), 'Error: Line 3: USD is "1."'],
  ])("%s is logged, changes nothing, and is tried again by the next cron", async (_, broken, error) => {
    const { db, asked, lines, run, known } = cron([broken, ok]);
    await run(AT);
    expect(lines).toEqual([{ event: "rates_fetch_failed", error: expect.stringContaining(error) }]);
    expect([await known(), await readFetchedAt(db)]).toEqual([[], null]);
    await run(AT + 300_000);
    expect(asked).toHaveLength(2);
    expect(await known()).toHaveLength(1);
    expect(JSON.stringify(lines)).not.toContain("secret");
  });

  test("a Day that is still to come is left out", async () => {
    const { run, known } = cron([() => new Response("Date,USD\n2026-11-25,1.05\n2026-11-20,1.06")]);
    await run(AT);
    expect(await known()).toEqual([{ day: day("2026-11-20"), per_euro: '{"USD":"1.06"}' }]);
  });

  test("without an address nothing is fetched", async () => {
    const { asked, run } = cron([], "");
    await run(AT);
    expect(asked).toEqual([]);
  });

  test.each([
    [null, "2026-11-20T00:00:00Z", true],
    ["2026-11-19T16:00:00Z", "2026-11-20T15:59:59Z", false],
    ["2026-11-19T16:00:00Z", "2026-11-20T16:00:00Z", true],
    ["2026-11-19T15:59:59Z", "2026-11-20T09:00:00Z", true],
  ])("fetched at %s, at %s it is due: %s", (fetched, now, due) => {
    expect(isDue({ fetchedAt: fetched === null ? null : Date.parse(fetched), now: Date.parse(now) })).toBe(due);
  });
});

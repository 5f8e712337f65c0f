// What the command line prints where the API's answer alone would leave a person without the next step,
// or with more than a screen.

import { expect, test } from "vitest";
import { toSealText } from "../../scripts/footfall/archive.ts";
import { toReceiptText } from "../../scripts/footfall/erase.ts";
import { toInviteText, toShareText } from "../../scripts/footfall/people.ts";
import { type Job, toReport } from "../../scripts/footfall/replay.ts";
import { toCutTable } from "../../scripts/table.ts";

const RANGE = { from: "2026-11-01", to: "2026-11-03" };

test.each([
  [0, 0, /^nothing is archived from 2026-11-01 to 2026-11-03$/],
  [3, 0, /^3 Days of one partition found, all of them sealed and without late events: nothing to do$/],
  [
    3,
    1,
    /^1 Day of one partition on the way to be sealed, .*; 2 Days of one partition had nothing to do\n.*archive days --from/,
  ],
  [3, 3, /^3 Days of one partition on the way to be sealed, or counted again with what came late\n/],
])("a seal of %d Days, %d of them with anything to do, says so", (found, sent, text) => {
  expect(toSealText({ found, sent }, RANGE)).toMatch(text);
});

const PLACE = { date: "2026-11-01", partition: "pool-3", at: "2026-11-21T10:00:00.000Z" };

test("an erasure's receipt shows all that was removed, a line for each place", () => {
  const removed = Array.from({ length: 25 }, (_, index) => {
    return { ...PLACE, rows_before: 100 + index, rows_after: 100, replaced_files: "old/", new_files: "new/" };
  });
  const lines = toReceiptText({ id: "ers_1", state: "done", rows_removed: 300, removed }).split("\n");
  expect(lines.filter((line) => line.includes("pool-3"))).toHaveLength(20);
  expect(lines.find((line) => line.startsWith("date"))).toMatch(/rows removed +rows left +the files now$/);
  expect(lines.at(-1)).toBe("… and 5 more; --json for all");
  expect(toReceiptText({ id: "ers_1", removed: [] })).toContain("nothing is removed yet");
});

test("tokens come with what to do with them", () => {
  const invite = toInviteText({ email: "anna@shop.example", token: "ffi_x" }, "https://q.example");
  expect(invite).toContain("anna@shop.example");
  expect(invite).toContain("https://q.example/invite#ffi_x");
  const share = toShareText({ name: "press", token: "ffs_x" }, "/api/v1/merchants/mer_1", "https://q.example");
  expect(share).toContain("https://q.example/share#ffs_x");
  expect(share).toContain("Authorization: Bearer ffs_x");
  expect(share).toContain('"site_id":"mer_1"');
});

test("long tables of a replay are cut, and say how many rows there are besides", () => {
  const numbers = Array.from({ length: 30 }, (_, index) => ({ what: `n${index}`, before: 0, after: index + 1 }));
  const job: Job = {
    ...{
      id: "rpl_1",
      kind: "rebuild",
      rules: "dated",
      state: "done",
      from: "2026-11-01",
      to: "2026-11-03",
      time_zone: null,
      buckets: 1,
      in_doubt: 0,
    },
    parts: { all: 1, done: 1, failed: 0, undone: 0 },
    ...{ events: 1, events_per_second: 1, differences: 40, unpublished: 0, replaced: 1, failed_parts: [] },
    totals: [{ merchant: "mer_1", numbers }],
    first_differences: Array.from({ length: 20 }, (_, index) => ({
      ...{ merchant: "mer_1", partition: "pool-0", grain: "day", bucket: `${index}`, in_doubt: false },
      mismatches: [
        { what: "visits", held: 1, replayed: 2 },
        { what: "events", held: 1, replayed: 2 },
      ],
    })),
  };
  const text = toReport(job);
  expect(text.match(/… and \d+ more; --json for all/g)).toEqual([
    "… and 10 more; --json for all",
    "… and 20 more; --json for all",
  ]);
  expect(text).toContain("(and 20 more buckets that differ)");
  expect(toCutTable(["a"], [[1]])).not.toContain("more");
});

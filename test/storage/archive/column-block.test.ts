// Columns read out of archive files are the rows of those files, whoever's they are and however they lie; and a damaged
// file is refused, or read as rows of it.

import { expect, test } from "vitest";
import { columnsOf, joinBlocks, rowsOf } from "../../../core/archive/event-columns.ts";
import type { ArchivedEvent } from "../../../core/archive/file.ts";
import { readBlocks } from "../../../storage/archive/column-block.ts";
import { encodeParquet } from "../../../storage/archive/parquet.ts";
import { traffic } from "../../support/archive-fixture.ts";
import { eventOf } from "../../support/events.ts";
import { seededRandom } from "../../support/random.ts";

const PLACE = { date: "2026-11-21", partition: "pool-0", first: 0 };

function rowsFor(count: number): readonly ArchivedEvent[] {
  const made = traffic({ count }).map(({ event }, at) => ({
    ...event,
    merchant: 1 + (at % 3),
    title: at % 5 === 0 ? "Grüße \u{1F600}" : "",
    props: at % 4 === 0 ? `{"n":"${at}"}` : "",
    scroll: at % 2 === 0 ? at % 100 : -1,
    revenue: at % 7 === 1 ? -1_000_000 * at : 0,
    userAgent: at === 3 ? "\ufeffagent" : event.userAgent,
  }));
  return made
    .toSorted((a, b) => a.merchant - b.merchant)
    .map((event, position) => ({ partition: PLACE.partition, position, event }));
}

test("[ARC-25] the columns of a merchant are its rows, of one row group or of several", () => {
  const rows = rowsFor(12_000);
  const bytes = encodeParquet({ ...PLACE, rows });
  for (const merchant of [1, 2, 3]) {
    const own = rows.filter(({ event }) => event.merchant === merchant);
    expect(rowsOf(joinBlocks([...readBlocks(bytes, { isWanted: (one) => one === merchant })]))).toEqual(own);
  }
  expect([...readBlocks(bytes, { isWanted: (one) => one === 4 })]).toEqual([]);
});

test("[ARC-25] columns that are not asked for are empty", () => {
  const rows = [
    { partition: "pool-0", position: 7, event: eventOf({ title: "Title", screen: "1x1", url: "https://a.example/" }) },
  ];
  const columns = ["merchant", "partition", "position", "url"];
  const [read] = rowsOf(
    joinBlocks([...readBlocks(encodeParquet({ ...PLACE, rows }), { isWanted: () => true, columns })]),
  );
  expect([read?.position, read?.event.url, read?.event.title, read?.event.timestamp]).toEqual([
    7,
    "https://a.example/",
    "",
    0,
  ]);
  expect(rowsOf(columnsOf(rows))).toEqual(rows);
});

test("[ARC-23] a file damaged in one byte is refused as columns, or read as rows of it", () => {
  const rows = rowsFor(40);
  const bytes = encodeParquet({ ...PLACE, rows });
  const random = seededRandom(5);
  let refused = 0;
  for (let turn = 0; turn < 300; turn++) {
    const damaged = bytes.slice();
    const at = Math.floor(random.next() * damaged.length);
    damaged[at] = (damaged[at] as number) ^ (1 << random.integer(0, 7));
    try {
      const read = joinBlocks([...readBlocks(damaged, { isWanted: (one) => one === 1 })]);
      expect(read.count).toBeLessThanOrEqual(rows.length);
      for (const { codes, values } of read.texts.filter((column) => column !== undefined))
        for (const code of codes) expect(typeof values[code]).toBe("string");
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
      expect((error as Error).name).not.toBe("AssertionError");
      refused += 1;
    }
  }
  expect(refused).toBeGreaterThan(80);
});

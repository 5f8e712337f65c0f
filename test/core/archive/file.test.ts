// How a bundle falls apart into files, one a Day, in the archive's order.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareArchived, filesOf } from "../../../core/archive/file.ts";
import { dateOf } from "../../../core/time.ts";
import { anyBundle } from "../../support/archive-fixture.ts";

describe("the files of a bundle", () => {
  test("[ARC-4] every event is in exactly one file, the one of its Day, at its own position", () => {
    fc.assert(
      fc.property(anyBundle, (bundle) => {
        const rows = filesOf(bundle).flatMap(({ date, rows }) => rows.map((row) => ({ date, ...row })));
        expect(rows.sort((a, b) => a.position - b.position)).toEqual(
          bundle.events.map(({ day, event }, index) => ({
            date: dateOf(day),
            partition: bundle.partition,
            position: bundle.first + index,
            event,
          })),
        );
      }),
    );
  });

  test("[ARC-4] one file a date, in order of dates, rows by merchant, time and position", () => {
    fc.assert(
      fc.property(anyBundle, (bundle) => {
        const files = filesOf(bundle);
        const dates = files.map(({ date }) => date);
        expect(dates).toEqual([...new Set(dates)].sort());
        for (const { rows } of files) {
          for (let index = 1; index < rows.length; index++) {
            const [before, after] = rows.slice(index - 1, index + 1);
            expect(before && after && compareArchived(before, after)).toBeLessThan(0);
          }
        }
      }),
    );
  });

  test("[ARC-4] an empty bundle has no files", () => {
    expect(filesOf({ partition: "pool-0", first: 0, events: [] })).toEqual([]);
  });
});

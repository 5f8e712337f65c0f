// Files of counts by the Day as Plausible has written them over time, and as others bring them into its form: what each
// row becomes, what is refused and why, and in which parts it is sent.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { strToU8, zipSync } from "fflate";
import { afterAll, expect, test } from "vitest";
import { foldRows, importedTableOf } from "../../core/imported/table.ts";
import { IMPORTED_ROWS_MAX } from "../../core/limits.ts";
import { isRollups, openRollups, tableOf } from "../../scripts/import/rollups/file.ts";
import { previewRollups, type RollupTable, readTables } from "../../scripts/import/rollups/read.ts";
import { partsOf } from "../../scripts/import/rollups/send.ts";
import { Tally } from "../../scripts/import/tally.ts";

const NOW = Date.UTC(2026, 10, 30);
const folder = mkdtempSync(join(tmpdir(), "footfall-rollup-files-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let made = 0;

/** Files in a folder, by name. */
function folderOf(files: Readonly<Record<string, string | Buffer>>): string {
  made += 1;
  const path = join(folder, `case-${made}`);
  mkdirSync(path);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

async function read(path: string) {
  const tally = new Tally();
  const said: string[] = [];
  const tables: RollupTable[] = [];
  const { files } = await openRollups(path);
  for await (const table of readTables(files, { now: NOW, tally, say: (text) => said.push(text) })) tables.push(table);
  return { tables, tally, said };
}

async function rowsOf(name: string, text: string | Buffer) {
  const { tables, tally, said } = await read(folderOf({ [name]: text }));
  const [table] = tables as [RollupTable];
  const rows = [...table.days].flatMap(([, own]) => own.map(({ values, counts }) => [...values, ...counts]));
  return { rows, counters: table.counters, tally, said };
}

test("[IMR-9] a file's name says its table", () => {
  const names = {
    "imported_visitors_20240101_20241231.csv": "visitors",
    "imported_operating_systems_20240101_20241231.csv": "systems",
    "entry_pages.csv": "entry_pages",
    "Imported_Pages.CSV": "pages",
    "shop/imported_custom_events_20240101_20240102.csv": "custom_events",
    "events.csv": undefined,
    "imported_toString.csv": undefined,
  };
  expect(Object.keys(names).map(tableOf)).toEqual(Object.values(names));
});

test("[IMR-9] pages of each version of Plausible's export are read by their columns, and what has no place is named", async () => {
  const versions = [
    ["date,hostname,page,visits,visitors,pageviews,exits,time_on_page", "2024-01-01,h.example,/a,3,2,5,1,60"],
    [
      "date,hostname,page,visits,visitors,pageviews,scroll_depth,pageleave_visitors",
      "2024-01-01,h.example,/a,3,2,5,50,1",
    ],
    [
      "date,hostname,page,visits,visitors,pageviews,total_scroll_depth,total_scroll_depth_visits,total_time_on_page,total_time_on_page_visits",
      "2024-01-01,h.example,/a,3,2,5,50,1,60,1",
    ],
    ["pageviews;page;date;visitors;visits;hostname", "5;/a;2024-01-01;2;3;h.example"],
  ];
  for (const lines of versions) {
    const { rows, said } = await rowsOf("pages.csv", lines.join("\r\n"));
    expect(rows).toEqual([["h.example", "/a", 2, 3, 5]]);
    expect(said.length).toBe(lines[0]?.includes("time_on_page") || lines[0]?.includes("scroll") ? 1 : 0);
  }
});

test("[IMR-9] values get the names that events get, and what says that it is not known is nothing", async () => {
  const sources = [
    "date,source,referrer,utm_source,visitors",
    "2024-01-01,google,https://www.google.com/,newsletter,1",
    "2024-01-01,Direct / None,,(not set),2",
    "2024-01-01,(direct),\\N,,3",
  ];
  expect((await rowsOf("sources.csv", sources.join("\n"))).rows).toEqual([
    ["", "", "", "", "", "", "", 5, 0, 0, 0, 0],
    ["Google", "google.com", "newsletter", "", "", "", "", 1, 0, 0, 0, 0],
  ]);
  const places = ["date,country,region,city,visitors", "2024-01-01,Austria,AT-9,2761369,1", "2024-01-01,zz,,,2"];
  expect((await rowsOf("locations.csv", places.join("\n"))).rows).toEqual([
    ["", "", "", 2, 0, 0, 0, 0],
    ["AT", "AT-9", "2761369", 1, 0, 0, 0, 0],
  ]);
  // Versions are left out, and their rows are one.
  const browsers = ["date,browser,browser_version,visitors", "20240101,chrome,120,1", "20240101,Chrome,121,2"];
  expect((await rowsOf("browsers.csv", browsers.join("\n"))).rows).toEqual([["Chrome", 3, 0, 0, 0, 0]]);
  const systems = ["date,operating_system,operating_system_version,visitors", "2024-01-01,Windows 10,10,4"];
  expect((await rowsOf("imported_operating_systems.csv", systems.join("\n"))).rows[0]?.[0]).toBe("Windows");
  const pages = ["date,page,visitors", "2024-01-01,/%C3%BCber,1", "2024-01-01,/über,1"];
  expect((await rowsOf("pages.csv", `\ufeff${pages.join("\n")}`)).rows).toEqual([["", "/über", 2, 0, 0]]);
});

test("[IMR-9] a column that is missing is a counter that is not known", async () => {
  const { counters } = await rowsOf("visitors.csv", "date,visitors,pageviews\n2024-01-01,1,2\n");
  expect(counters).toEqual(["visitors", "pageviews"]);
  const entries = await rowsOf("entry_pages.csv", "date,entry_page,visitors,entrances\n2024-01-01,/,1,2\n");
  expect([entries.counters, entries.rows]).toEqual([["visitors", "visits"], [["/", 1, 2, 0, 0, 0]]]);
});

test("[IMR-9] a row that cannot be read is refused with its line and reason, and stops nothing", async () => {
  const lines = [
    "date,visitors,visits",
    "2024-01-01,1,1",
    "(not set),1,1",
    "2024-02-30,1,1",
    "1970-01-01,1,1",
    "2027-01-01,1,1",
    "2024-01-02,-1,1",
    "2024-01-02,many,1",
    "2024-01-02,1",
    '2024-01-02,"1,1',
    "2024-01-03,2.6,",
  ];
  const { rows, tally } = await rowsOf("visitors.csv", lines.join("\n"));
  expect(rows).toEqual([
    [1, 1, 0, 0, 0],
    [3, 0, 0, 0, 0],
  ]);
  expect(tally.refused()).toBe(8);
  const text = tally.toText();
  expect(text).toMatch(/visitors must be a number from 0, not "-1"/);
  expect(text).toMatch(/date must be a date such as 2024-01-31, not "\(not set\)"/);
});

test("[IMR-9] what is no import of rollups is refused with what is wrong", async () => {
  const cases: readonly (readonly [Readonly<Record<string, string | Buffer>>, RegExp])[] = [
    [{ "events.csv": "a\n" }, /has none of the files imported_visitors_….csv.*it has events.csv/],
    [{ "visitors.csv": "" }, /visitors.csv is empty/],
    [{ "visitors.csv": "day,visitors\n" }, /visitors.csv: it has no column "date"/],
    [{ "pages.csv": "date,visitors\n" }, /pages.csv: it has no column "page"/],
    [{ "operating_systems.csv": "date,visitors\n" }, /it has no column "operating_system"/],
    [{ "devices.csv": "date,device\n" }, /no column of numbers/],
    [
      { "visitors.csv": Buffer.from("date,visitors\n2024-01-01,\xff\n", "latin1") },
      /visitors.csv: line 2 is not UTF-8/,
    ],
    [{ "visitors.csv": Buffer.from("date,visitors,b\xfc\n", "latin1") }, /is not UTF-8/],
    [
      {
        "visitors.csv": "date,visitors\n2024-01-01,1\n",
        "imported_visitors_20240101_20240102.csv": "date,visitors\n2024-01-01,1\n",
      },
      /both have rows of 2024-01-01/,
    ],
  ];
  for (const [files, words] of cases) {
    const problem = await read(folderOf(files)).then(
      () => "",
      (error: Error) => error.message,
    );
    expect(problem).toMatch(words);
  }
  const broken = join(folder, "broken.zip");
  writeFileSync(broken, "PK\u0003\u0004 and then nothing");
  await expect(openRollups(broken)).rejects.toThrow(/no zip that can be read/);
});

test("[IMR-9] a zip is read whether its files are stored or deflated, in whatever folder, and is known by its rows", async () => {
  const files = {
    "shop/imported_visitors_20240101_20240102.csv": strToU8("date,visitors\n2024-01-01,1\n2024-01-02,2\n"),
    "__MACOSX/imported_visitors.csv": strToU8("x"),
    "shop/read me.txt": strToU8("x"),
  };
  const digests = new Set<string>();
  for (const level of [0, 9] as const) {
    const path = join(folder, `${level}.zip`);
    writeFileSync(path, zipSync(files, { level }));
    expect(await isRollups(path)).toBe(true);
    const { files: found } = await openRollups(path);
    const preview = await previewRollups(found, { now: NOW, say: () => undefined });
    digests.add(preview.digest);
    expect(preview.tables).toMatchObject([{ name: "visitors", rows: 2, counters: ["visitors"], cutDays: 0 }]);
    expect(preview.sums).toEqual([["visitors", 3]]);
  }
  expect(digests.size).toBe(1);
  const other = folderOf({ "visitors.csv": "date,visitors\n2024-01-01,1\n2024-01-02,3\n" });
  const { files: found } = await openRollups(other);
  digests.add((await previewRollups(found, { now: NOW, say: () => undefined })).digest);
  expect(digests.size).toBe(2);
});

test("[IMR-1] [IMR-9] of a Day the smallest rows are added up, and no count is lost", async () => {
  const pages = Array.from({ length: IMPORTED_ROWS_MAX + 7 }, (_, at) => `2024-01-01,/p${at},${at + 1}`);
  const { rows } = await rowsOf("pages.csv", ["date,page,visitors", ...pages].join("\n"));
  expect(rows).toHaveLength(IMPORTED_ROWS_MAX);
  expect(rows.find(([, page]) => page === "(other)")).toEqual(["(other)", "(other)", 36, 0, 0]); // 1 to 8
  const all = rows.reduce((sum, [, , visitors]) => sum + Number(visitors), 0);
  expect(all).toBe(((IMPORTED_ROWS_MAX + 7) * (IMPORTED_ROWS_MAX + 8)) / 2);
  // In whatever order they come.
  const table = importedTableOf("devices");
  const some = ["a", "b", "c", "d"].map((value, at) => ({ values: [value], counts: [at >> 1, 1, 1, 1, 1] }));
  expect(foldRows(table, some, 3)).toEqual(foldRows(table, some.toReversed(), 3));
});

test("[IMR-2] parts have whole Days, and those behind a place are the same rows", async () => {
  const lines = Array.from({ length: 900 }, (_, at) => {
    const date = new Date(Date.UTC(2024, 0, 1 + (at % 450))).toISOString().slice(0, 10);
    return `${date},${at < 450 ? "Mobile" : "Desktop"},${at}`;
  });
  const { tables } = await read(folderOf({ "devices.csv": ["date,device,visitors", ...lines].join("\n") }));
  const [table] = tables as [RollupTable];
  const parts = [...partsOf(table, 0)];
  expect(parts.map(({ offset, rows, days }) => [offset, rows, Object.keys(days).length])).toEqual([
    [0, 800, 400],
    [800, 100, 50],
  ]);
  const rest = [...partsOf(table, 300)];
  expect(rest.map(({ offset, rows }) => [offset, rows])).toEqual([[300, 600]]);
  const listed = (some: typeof parts) => some.flatMap(({ days }) => Object.entries(days));
  expect(listed(rest)).toEqual(listed(parts).slice(150));
  expect([...partsOf(table, 900)]).toEqual([]);
});

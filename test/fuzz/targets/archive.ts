// What lies in queues and in the archive: bundles, overflowed arrivals, manifests and Parquet files; and bodies of
// requests that are packed. What we wrote comes back as it was. What somebody else wrote, or what was damaged, is an
// exception as each reader declares, and never a row that is none, nor a reader that takes all memory.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync, gzipSync } from "node:zlib";
import { type Bundle, decodeBundle, encodeBundle, encodeLogged } from "../../../core/archive/bundle.ts";
import { COLUMNS, toCells } from "../../../core/archive/columns.ts";
import { CSV, NDJSON } from "../../../core/archive/export.ts";
import { type ArchiveFile, filesOf } from "../../../core/archive/file.ts";
import { decodeManifest, encodeManifest } from "../../../core/archive/manifest.ts";
import { ROW_GROUP_ROWS } from "../../../core/limits.ts";
import { decodeArrivals, decodeOverflow, encodeArrivals, encodeOverflow } from "../../../core/overflow.ts";
import { packBundle, unpackBundle } from "../../../storage/archive/bundle-message.ts";
import { readBlocks } from "../../../storage/archive/column-block.ts";
import { encodeParquet, readParquet } from "../../../storage/archive/parquet.ts";
import { readBody } from "../../../storage/request-body.ts";
import { eventOf } from "../../support/events.ts";
import { expectSame, expectThat, fromBytes, type Target, toBytes } from "../target.ts";

/** 2026-11-21. */
const DAY = 20_778;

export const targets: readonly Target[] = [
  {
    name: "archive-bundle",
    fields: { text: "json" },
    words: ["version", "partition", "first", "rows", "pool-0", "\ud800", "\ufeff"],
    seeds: () => [{ text: bundleText() }],
    lengthMax: 4_000,
    steps: { fixed: 400_000, perCharacter: 4_000 },
    run: async ({ text = "" }) => {
      const bundle = await declared(() => decodeBundle(text));
      if (bundle !== undefined) await checkBundle(bundle);
    },
  },
  {
    name: "archive-message",
    fields: { bytes: "bytes" },
    words: [],
    seeds: () => [{ bytes: fromBytes(packBundle(bundleText())) }, { bytes: fromBytes(packBundle("{}")) }],
    lengthMax: 2_000,
    steps: { fixed: 400_000, perCharacter: 4_000 },
    run: async ({ bytes = "" }) => {
      const bundle = await declared(() => unpackBundle(toBytes(bytes)));
      if (bundle !== undefined) await checkBundle(bundle);
    },
  },
  {
    name: "archive-overflow",
    fields: { text: "json" },
    words: ["version", "id", "parts", "partition", "rows"],
    seeds: () => {
      const arrivals = [{ event: eventOf({ id: "a" }), address: "203.0.113.7", floating: true }];
      return [
        { text: encodeOverflow({ id: "note", parts: [{ partition: "pool-0", arrivals }] }) },
        { text: encodeArrivals(arrivals) },
        {
          text: JSON.stringify({
            version: 1,
            date: "2026-11-21",
            partition: "pool-0",
            generation: 1,
            rows: 0,
            files: [],
          }),
        },
      ];
    },
    lengthMax: 3_000,
    steps: { fixed: 50_000, perCharacter: 400 },
    run: async ({ text = "" }) => {
      const overflow = await declared(() => decodeOverflow(text));
      if (overflow !== undefined)
        expectSame(decodeOverflow(encodeOverflow(overflow)), overflow, "overflow comes back otherwise");
      const arrivals = overflow?.parts[0]?.arrivals;
      if (arrivals !== undefined)
        expectSame(decodeArrivals(encodeArrivals(arrivals)), arrivals, "arrivals come back otherwise");
      const manifest = await declared(() => decodeManifest(text));
      if (manifest !== undefined)
        expectSame(decodeManifest(encodeManifest(manifest)), manifest, "a manifest comes back otherwise");
    },
  },
  {
    name: "archive-parquet",
    fields: { bytes: "bytes" },
    words: [],
    seeds: parquetSeeds,
    lengthMax: 20_000,
    steps: { fixed: 3_000_000, perCharacter: 4_000 },
    run: async ({ bytes = "" }) => {
      for (const merchant of [3, 7])
        await declared(() => [...readBlocks(toBytes(bytes), { isWanted: (one) => one === merchant })]);
      const file = await declared(() => readParquet(toBytes(bytes)));
      if (file === undefined) return;
      for (const column of COLUMNS) toCells(column, file.rows);
    },
  },
  {
    name: "archive-body",
    fields: { bytes: "bytes" },
    words: [],
    seeds: () => [
      { bytes: '{"a":1}' },
      { bytes: fromBytes(gzipSync('{"a":"\u00e4"}')) },
      { bytes: fromBytes(deflateSync("x".repeat(3_000))) },
    ],
    lengthMax: 400,
    steps: { fixed: 5_000, perCharacter: 200 },
    run: async ({ bytes = "" }) => {
      const body = await readBody(new Response(toBytes(bytes)) as never, BODY_BYTES_MAX, { unpacks: true });
      if (body.ok) expectThat(body.text.length <= BODY_BYTES_MAX, "a body is longer than may be");
    },
  },
];

const BODY_BYTES_MAX = 2_000;

function bundleText(): string {
  const events = [
    eventOf({
      id: "a",
      merchant: 7,
      url: "https://shop.example/\u00e4?x=1",
      props: '{"a":"b"}',
      revenue: -125_000,
      scroll: 40,
    }),
    eventOf({ id: "b", merchant: 3, dropped: "bot", asn: 4_294_967_295, keyed: 1, sequence: 3 }),
  ];
  const rows = events.map((event, index) => encodeLogged({ day: DAY + index, late: index === 1, event }));
  return encodeBundle({ partition: "pool-0", first: 17, rows });
}

/** Small files of ours, and those of an earlier version. */
function parquetSeeds(root: string) {
  const folder = join(root, "test/golden/archive-0.1/objects/events");
  const old = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".parquet"))
    .sort()
    .map((name) => new Uint8Array(readFileSync(join(folder, name))))
    .filter(({ length }) => length < 12_000);
  const own = filesOf(decodeBundle(bundleText())).map((file) => encodeParquet(file));
  return [...own, ...old].map((bytes) => ({ bytes: fromBytes(bytes) }));
}

/**
 * What a reader makes of something; undefined where it throws as it says it does. A stack that is too small or memory
 * that is not there is none of those exceptions: there the reader has believed what it read.
 */
async function declared<T>(read: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Error && !(error instanceof RangeError && /stack|allocation/i.test(error.message)))
      return undefined;
    throw error;
  }
}

/** A bundle that was read is refused before it becomes a file, or becomes files that hold all of it. */
async function checkBundle(bundle: Bundle): Promise<void> {
  const rows = bundle.events.map(encodeLogged);
  expectSame(decodeBundle(encodeBundle({ ...bundle, rows })), bundle, "a bundle comes back otherwise");
  const files = await declared(() => {
    const made = filesOf(bundle);
    return made.map((file) => ({ file, bytes: encodeParquet(file) }));
  });
  let count = 0;
  for (const { file, bytes } of files ?? []) {
    const read = await readParquet(bytes);
    expectSame(wellFormed(read), wellFormed(file), "a file comes back otherwise");
    count += read.rows.length;
    expectThat(file.rows.length <= ROW_GROUP_ROWS * 100, "a bundle is a large file");
    for (const row of file.rows) {
      const line = NDJSON.line({ ...row, date: file.date });
      expectThat(line.endsWith("\n") && !line.slice(0, -1).includes("\n"), "a row is several lines");
      CSV.line({ ...row, date: file.date });
    }
  }
  if (files !== undefined) expectSame(count, bundle.events.length, "events are lost between a bundle and its files");
}

/** UTF-8 holds no lone surrogate. */
function wellFormed(file: ArchiveFile): unknown {
  return JSON.parse(JSON.stringify(file), (_, value: unknown) =>
    typeof value === "string" ? value.toWellFormed() : value,
  );
}

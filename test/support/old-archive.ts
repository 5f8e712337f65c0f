// The archive and the rollups that version 0.1 left behind (test/golden/archive-0.1), put into a world of today: objects as they
// are, to the byte, and rows of D1 in today's shape with the counts of then.

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { ByteReader } from "../../core/bytes.ts";
import { emptyRow } from "../../core/counting/difference.ts";
import { ALL_DIMENSIONS, encodeBreakdown, zeroCounts } from "../../core/counting/rollup.ts";
import type { RollupRow } from "../../core/counting/rollup-row.ts";
import { decodeSketch } from "../../core/counting/sketch.ts";
import { zeroMeter } from "../../core/meter.ts";
import { writeRollups } from "../../storage/rollup-write.ts";
import type { SealedWorld } from "./sealed-world.ts";

const FOLDER = join(import.meta.dirname, "../golden/archive-0.1");
/** What 0.1 counted, in the order in which it stored it. */
const COUNTERS = [
  "visitors",
  "visits",
  "bounces",
  "duration_ms",
  "pageviews",
  "events",
  "engagement_ms",
  "revenue",
  "foreign_revenue",
] as const;

type Cell = number | string | null | { readonly base64: string };
type Row = Readonly<Record<string, Cell>>;

interface Stored {
  readonly hourly: readonly Row[];
  readonly daily: readonly Row[];
  readonly archive_days: readonly Row[];
}

/** What the merchant's clients sent, in their words. */
export interface OldHit {
  readonly what: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export const OLD_HITS = JSON.parse(readFileSync(join(FOLDER, "hits.json"), "utf8")) as readonly OldHit[];

/** Puts everything into a world that has nothing of merchant 1 yet. */
export async function loadOldArchive(world: SealedWorld): Promise<void> {
  for (const file of readdirSync(join(FOLDER, "objects"), { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath, file.name);
    world.objects.set(relative(join(FOLDER, "objects"), path), new Uint8Array(readFileSync(path)));
  }
  const stored = JSON.parse(readFileSync(join(FOLDER, "d1.json"), "utf8")) as Stored;
  const rows = [...stored.hourly.map((row) => toRow("hour", row)), ...stored.daily.map((row) => toRow("day", row))];
  await writeRollups(world.d1, rows, zeroMeter());
  for (const row of stored.archive_days) {
    const names = Object.keys(row).map((name) => `"${name}"`);
    const places = names.map(() => "?");
    world.database
      .prepare(`INSERT INTO archive_days (${names.join()}) VALUES (${places.join()})`)
      .run(...(Object.values(row) as (number | string | null)[]));
  }
}

function toRow(grain: RollupRow["grain"], row: Row): RollupRow {
  const { merchant, bucket, day, partition, version } = row as unknown as RollupRow;
  const names = { merchant, grain, bucket, day, partition, version };
  const counts = { ...zeroCounts(), ...Object.fromEntries(COUNTERS.map((name) => [name, Number(row[name])])) };
  const breakdowns = ALL_DIMENSIONS.flatMap((name) => {
    const known = row[`by_${name}`];
    return known === undefined || known === null ? [] : [[name, toBreakdown(bytesOf(known))]];
  });
  return {
    ...emptyRow(names as RollupRow),
    ...names,
    counts,
    drops: JSON.parse(String(row["drops"])) as RollupRow["drops"],
    sketch: bytesOf(row["sketch"] as Cell),
    breakdowns: Object.fromEntries(breakdowns) as RollupRow["breakdowns"],
  };
}

/** From the shape of 0.1: whether it was cut, how many values, and of each its name, nine counters and the sketch. */
function toBreakdown(bytes: Uint8Array): Uint8Array {
  const reader = new ByteReader(bytes);
  const cut = reader.byte() === 1;
  const entries = Array.from({ length: reader.unsigned() }, () => {
    const value = reader.text();
    const counts = Object.fromEntries(COUNTERS.map((name) => [name, reader.signed()]));
    return { value, counts: { ...zeroCounts(), ...counts }, sketch: decodeSketch(reader) };
  });
  return encodeBreakdown({ cut, entries });
}

function bytesOf(cell: Cell): Uint8Array {
  return new Uint8Array(Buffer.from((cell as { readonly base64: string }).base64, "base64"));
}

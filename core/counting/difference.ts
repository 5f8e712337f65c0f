// Compares the rollups that readers see with those that a replay of the archive gives. For each merchant and bucket it
// compares every counter, drop, breakdown and sketch. A bucket is in doubt, and not different, if it holds an event
// that may not have been in the archive when the archive was read. Nobody can judge it yet. This file compares and
// explains; `queues/replay.ts` reads both sides.

import { ByteWriter } from "../bytes.ts";
import { REPLAY_MISMATCHES_MAX, TOTAL_SKETCH_PRECISION } from "../limits.ts";
import { DROP_REASONS } from "../outcome.ts";
import { dateOf } from "../time.ts";
import { encodePresence, NOBODY } from "./presence.ts";
import { ALL_DIMENSIONS, type BreakdownEntry, COUNTERS, type Counts, encodeBreakdown, zeroCounts } from "./rollup.ts";
import { breakdownOf, encodeTotalSketch, type Grain, isThin, type RollupRow, thinned } from "./rollup-row.ts";
import { emptySketch, encodeSketch } from "./sketch.ts";
import { type Money, noTakings, TAKINGS } from "./takings.ts";

/** A row as readers see it. It is a row of D1, or one of a partition that is not published yet. */
export interface HeldRow {
  readonly row: RollupRow;
  readonly published: boolean;
}

/** One number that is not the same on both sides, such as {"what":"page=/cart visitors","held":3,"replayed":4}. */
export interface Mismatch {
  readonly what: string;
  readonly held: number | string;
  readonly replayed: number | string;
}

export interface Difference {
  readonly merchant: number;
  readonly grain: Grain;
  readonly bucket: number;
  readonly partition: string;
  /** The bucket has events that may not be in the archive yet. */
  readonly inDoubt: boolean;
  /** The first few. */
  readonly mismatches: readonly Mismatch[];
  /** Undefined where neither D1 nor the partition has the bucket. */
  readonly held: HeldRow | undefined;
  /** All zeros where the archive has nothing for the bucket. */
  readonly replayed: RollupRow;
}

/**
 * The row that a reader uses for each bucket: the one with the higher version, from D1 or from the partition (QRY-21).
 */
export function heldRows(rows: { live: readonly RollupRow[]; stored: readonly RollupRow[] }): readonly HeldRow[] {
  const held = new Map<string, HeldRow>();
  for (const row of rows.stored) held.set(nameOf(row), { row, published: true });
  for (const row of rows.live) {
    const stored = held.get(nameOf(row));
    // An unpublished row with the same version is being published now: the partition still holds it.
    if (stored === undefined || stored.row.version <= row.version) held.set(nameOf(row), { row, published: false });
  }
  return [...held.values()];
}

export interface Compared {
  readonly held: readonly HeldRow[];
  readonly replayed: readonly RollupRow[];
  /** Every event below this position of the partition lay in the archive before it was read. */
  readonly archivedPosition: number;
  /**
   * The Day of all these buckets. A held row may name another one, if its merchant's zone was changed for the
   * past.
   */
  readonly day: number;
}

/**
 * The buckets that differ. The archive must be read before the held rows. Then all that it showed is in the held rows,
 * and a held row whose version is below `archivedPosition` is made of archived events only.
 */
export function differencesOf({ held, replayed, archivedPosition, day }: Compared): readonly Difference[] {
  const left = new Map(replayed.map((row) => [nameOf(row), row]));
  const differences: Difference[] = [];
  for (const one of held) {
    const again = left.get(nameOf(one.row)) ?? emptyRow({ ...one.row, day });
    left.delete(nameOf(one.row));
    const mismatches = mismatchesOf(one.row, again);
    if (mismatches.length === 0) continue;
    // A late event may be in the archive before it is counted. A seal must find it missing, and an undo must not
    // remove it.
    const inDoubt = Math.max(one.row.version, again.version) >= archivedPosition;
    differences.push({ ...placeOf(one.row), inDoubt, mismatches, held: one, replayed: again });
  }
  for (const row of left.values()) {
    const mismatches = mismatchesOf(emptyRow(row), row);
    if (mismatches.length > 0)
      differences.push({
        ...placeOf(row),
        inDoubt: row.version >= archivedPosition,
        mismatches,
        held: undefined,
        replayed: row,
      });
  }
  return differences;
}

/** A row in which nothing was counted, under the name and version of another. */
export function emptyRow(named: RollupRow): RollupRow {
  const nothing = encodeBreakdown({ entries: [], cut: false });
  return {
    ...named,
    counts: zeroCounts(),
    drops: {},
    sketch: encodeTotalSketch(emptySketch(TOTAL_SKETCH_PRECISION)),
    presence: named.grain === "day" ? encodePresence(NOBODY) : new Uint8Array(),
    breakdowns: Object.fromEntries(ALL_DIMENSIONS.map((name) => [name, nothing])),
  };
}

/**
 * The first mismatches of two rows of one bucket, in this order: counters, drops, sketch, breakdowns. An Hour of a
 * packed Day has only totals left. Who was there on that Day, the Day's own row says.
 */
export function mismatchesOf(held: RollupRow, replayed: RollupRow): readonly Mismatch[] {
  const found = [...totalMismatches(held, replayed)];
  if (isThin(held)) return found.slice(0, REPLAY_MISMATCHES_MAX);
  for (const dimension of ALL_DIMENSIONS) {
    if (found.length >= REPLAY_MISMATCHES_MAX) break;
    if (isSameBytes(held.breakdowns[dimension], replayed.breakdowns[dimension])) continue;
    found.push(...breakdownMismatches(dimension, breakdownOf(held, dimension), breakdownOf(replayed, dimension)));
  }
  return found.slice(0, REPLAY_MISMATCHES_MAX);
}

/** Mismatches of counters, drops, the total sketch, and who was there when. */
export function totalMismatches(held: RollupRow, counted: RollupRow): readonly Mismatch[] {
  const replayed = isThin(held) ? thinned(counted) : counted;
  const found = countMismatches("", held.counts, replayed.counts);
  if (held.day !== replayed.day) found.unshift({ what: "day", held: dateOf(held.day), replayed: dateOf(replayed.day) });
  for (const reason of DROP_REASONS) {
    const [a, b] = [held.drops[reason] ?? 0, replayed.drops[reason] ?? 0];
    if (a !== b) found.push({ what: `dropped ${reason}`, held: a, replayed: b });
  }
  if (!isSameBytes(held.sketch, replayed.sketch)) found.push(bytesMismatch("sketch", held.sketch, replayed.sketch));
  // A Day's sketch has no visitors who cannot come again. A difference among those shows only here.
  if (!isSameBytes(held.presence, replayed.presence))
    found.push(bytesMismatch("presence", held.presence, replayed.presence));
  return found;
}

type Breakdown = ReturnType<typeof breakdownOf>;

function breakdownMismatches(dimension: string, held: Breakdown, replayed: Breakdown): readonly Mismatch[] {
  const found: Mismatch[] = [];
  const left = new Map(replayed.entries.map((entry) => [entry.value, entry]));
  for (const entry of held.entries) {
    found.push(...entryMismatches(`${dimension}=${entry.value} `, entry, left.get(entry.value)));
    left.delete(entry.value);
  }
  for (const entry of left.values()) found.push(...entryMismatches(`${dimension}=${entry.value} `, undefined, entry));
  if (held.cut !== replayed.cut)
    found.push({ what: `${dimension} cut`, held: String(held.cut), replayed: String(replayed.cut) });
  return found;
}

function entryMismatches(of: string, held?: BreakdownEntry, replayed?: BreakdownEntry): readonly Mismatch[] {
  const found = countMismatches(of, held?.counts ?? zeroCounts(), replayed?.counts ?? zeroCounts());
  if (found.length > 0) return found;
  const [a, b] = [sketchBytes(held), sketchBytes(replayed)];
  return isSameBytes(a, b) ? [] : [bytesMismatch(`${of}sketch`, a, b)];
}

function countMismatches(of: string, held: Counts, replayed: Counts): Mismatch[] {
  const counters = COUNTERS.filter((counter) => held[counter] !== replayed[counter]).map((counter) => ({
    what: of + counter,
    held: held[counter],
    replayed: replayed[counter],
  }));
  return [...counters, ...moneyMismatches(of, held.money, replayed.money)];
}

function moneyMismatches(of: string, held: Money, replayed: Money): readonly Mismatch[] {
  const takingsOf = (money: Money, currency: string) =>
    money?.find((one) => one.currency === currency) ?? noTakings(currency);
  const currencies = new Set([...(held ?? []), ...(replayed ?? [])].map(({ currency }) => currency));
  return [...currencies].sort().flatMap((currency) => {
    const [a, b] = [takingsOf(held, currency), takingsOf(replayed, currency)];
    return TAKINGS.filter((taking) => a[taking] !== b[taking]).map((taking) => {
      return { what: `${of}${taking} ${currency}`, held: a[taking], replayed: b[taking] };
    });
  });
}

function bytesMismatch(what: string, held: Uint8Array, replayed: Uint8Array): Mismatch {
  return { what, held: `${held.length} bytes`, replayed: `${replayed.length} other bytes` };
}

/** A sketch of the same set has the same bytes (SKE-3). */
function sketchBytes(entry: BreakdownEntry | undefined): Uint8Array {
  const writer = new ByteWriter();
  if (entry !== undefined) encodeSketch(entry.sketch, writer);
  return writer.finish();
}

function isSameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}

function placeOf({ merchant, grain, bucket, partition }: RollupRow) {
  return { merchant, grain, bucket, partition };
}

function nameOf({ merchant, grain, bucket, partition }: RollupRow): string {
  return `${merchant} ${grain} ${bucket} ${partition}`;
}

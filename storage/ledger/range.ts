// What a ledger knows of a merchant's Days or Hours in a range, read in one look: two statements in one transaction.
// The rollups come whole, whether their Days lie in rows or in blocks; what the reader has already in the version that
// is there now is named and not sent. With them comes what stands in the way of them: late events that no rollup knows,
// and what waits in the overflow queue. Of blocks that lie in month files the ledger says where their parts lie, and
// those that the reader lacks are fetched from R2 after the look. Questions read by this and by nothing else.

import { blockOf } from "../../core/block/block.ts";
import type { RollupRow } from "../../core/counting/rollup-row.ts";
import { BLOCKS_READ_BYTES, ROLLUP_PAGE_ROWS, ROLLUP_PAGE_WIDE_ROWS } from "../../core/limits.ts";
import { DAY_MS } from "../../core/time.ts";
import { type BlockRow, dimensionsRead, HAS_DAYS, PART_COLUMNS, partColumnsOf, rowsOf } from "./blocks.ts";
import type { Ledger } from "./ledgers.ts";
import { withParts } from "./month-file.ts";
import { OVERFLOW_SINCE } from "./overflow-note.ts";
import { BEHIND, type BehindPlaces, behindOf } from "./places.ts";
import { UNDONE } from "./replay-part.ts";
import { columnsOf, type RollupColumns, type StoredRow, tableOf, toRow } from "./rollups.ts";

export interface RangeRead extends RollupColumns {
  readonly merchant: number;
  /** Buckets in [from, to). */
  readonly from: number;
  readonly to: number;
  /** How much one transaction reads, where that is to be less than the limits say. */
  readonly pageRows?: number;
  readonly pageBytes?: number;
}

/** Where it is looked for what stands in the way. */
export interface Around {
  /** Days in [fromDay, toDay). */
  readonly fromDay: number;
  readonly toDay: number;
  /** UTC ms: what was delivered from the overflow queue since then counts as waiting. */
  readonly deliveredSince: number;
}

export interface Standing {
  readonly behind: BehindPlaces;
  /** UTC ms since which an event of the merchant waits in the overflow queue; undefined where none does. */
  readonly overflowSince: number | undefined;
}

export interface Range {
  readonly standing: Standing;
  /** All rollups, each once, in portions; in no order. */
  readonly rows: AsyncIterable<readonly RollupRow[]>;
}

/** A row of D1 with one rollup, or a block with those of ten Days. */
export interface PieceName {
  readonly kind: "row" | "block";
  /** Its bucket, or its first Day. */
  readonly at: number;
  readonly partition: string;
  /**
   * Of equal pieces equal. A row that an undo puts back has a version that it had before: hence how much was undone
   * stands beside it.
   */
  readonly version: number;
}

/** A piece that a reader has, with its rollups. */
export interface Piece extends PieceName {
  readonly rows: readonly RollupRow[];
}

/** What a reader has already. */
export interface Pieces {
  /** Those that it has in a range: buckets for rows, Days for blocks. */
  known(kind: PieceName["kind"], from: number, to: number): readonly Piece[];
  /** How many jobs were undone when its rows were read; null where it has none. */
  undone(): number | null;
  /** Hears how many are undone now, null while one is being undone. Rows that were read under another are forgotten. */
  hear(undone: number | null): void;
  /** Keeps a piece, unless it is a row and more was undone since: `undone` is what was said with it. */
  keep(piece: Piece, undone: number | null): void;
}

const NOTHING_KNOWN: Pieces = { known: () => [], undone: () => null, hear: () => {}, keep: () => {} };

/**
 * Looks at a merchant's range. What it gives first was true at one instant; further pages, where there are any, later.
 */
export async function readRange(
  db: Ledger,
  read: RangeRead,
  { around, pieces = NOTHING_KNOWN }: { readonly around: Around; readonly pieces?: Pieces },
): Promise<Range> {
  const first = await readPage(db, read, { around, pieces, undone: null });
  return { standing: first.standing as Standing, rows: pagesOf(db, read, { first, pieces }) };
}

/**
 * The rollups of a range at once, in the order of bucket and partition. For ranges that are known to be short; reading
 * ends where more than `rowsMax` have come.
 */
export async function readRollups(
  db: Ledger,
  read: RangeRead,
  rowsMax = Number.POSITIVE_INFINITY,
): Promise<readonly RollupRow[]> {
  const rows: RollupRow[] = [];
  const first = await readPage(db, read, { pieces: NOTHING_KNOWN, undone: null });
  for await (const some of pagesOf(db, read, { first, pieces: NOTHING_KNOWN })) {
    rows.push(...some);
    if (rows.length > rowsMax) break;
  }
  return rows.sort((a, b) => a.bucket - b.bucket || (a.partition < b.partition ? -1 : 1)).slice(0, rowsMax);
}

/** A part of a range, as one transaction saw it. */
interface Page {
  readonly standing: Standing | undefined;
  /** How many jobs were undone when the first page was read; null while one is being undone. */
  readonly undone: number | null;
  readonly pieces: readonly (() => readonly RollupRow[])[];
  /** The bucket that the next page begins with; undefined where this was the last. */
  readonly next: number | undefined;
}

async function* pagesOf(
  db: Ledger,
  read: RangeRead,
  { first, pieces }: { readonly first: Page; readonly pieces: Pieces },
): AsyncGenerator<readonly RollupRow[]> {
  for (let page = first; ; ) {
    // One after the other: what a block becomes is several times larger than the block.
    for (const piece of page.pieces) yield piece();
    if (page.next === undefined) return;
    page = await readPage(db, { ...read, from: page.next }, { pieces, undone: page.undone });
  }
}

interface PageOptions {
  /** Undefined where it is known already what stands in the way. */
  readonly around?: Around;
  readonly pieces: Pieces;
  /** What the page before was read under; of no matter for the first, which asks. */
  readonly undone: number | null;
}

async function readPage(db: Ledger, read: RangeRead, { around, pieces, undone: before }: PageOptions): Promise<Page> {
  const { from, to } = read;
  const isWide = read.sketch || read.breakdowns.length > 0;
  const page = {
    rowsMax: read.pageRows ?? (isWide ? ROLLUP_PAGE_WIDE_ROWS : ROLLUP_PAGE_ROWS),
    bytesMax: read.pageBytes ?? BLOCKS_READ_BYTES,
  };
  for (;;) {
    // Rows are compared with what is known only where it is told as well how much was undone.
    const known = {
      rows: around === undefined ? [] : pieces.known("row", from, to),
      undone: pieces.undone(),
      blocks: knownBlocks(read, pieces),
    };
    const [stored, others] = (await db.batch<StoredRow>([
      rowsStatement(db, read, { rowsMax: page.rowsMax, known: known.rows }),
      blocksStatement(db, read, { bytesMax: page.bytesMax, around, known: known.blocks }),
    ])) as [D1Result<StoredRow>, D1Result<BlockRow & StoredRow>];
    const told = around === undefined ? undefined : others.results.find(({ standing }) => standing !== null);
    const blocks = others.results.filter((one) => one !== told);
    const standing = told && (JSON.parse(told["standing"] as string) as ToldStanding);
    if (standing !== undefined) pieces.hear(standing.undone);
    // Of rows that were put back an equal version may have other numbers: they are asked for again.
    const isSame = standing !== undefined && standing.undone !== null && standing.undone === known.undone;
    if (known.rows.length > 0 && !isSame) continue;
    const end = endOf(read, { rows: stored.results, rowsMax: page.rowsMax, blocks });
    if (end <= from) {
      // There is more of one moment than fits.
      page.rowsMax *= 2;
      page.bytesMax *= 2;
      continue;
    }
    const rows = stored.results.filter(({ bucket }) => (bucket as number) < end);
    const undone = standing === undefined ? before : standing.undone;
    const whole = await wholeOf(db, { ...read, to: end }, blocks);
    return {
      standing: standing && { behind: behindOf(standing.behind), overflowSince: standing.since ?? undefined },
      undone,
      pieces: [
        ...rows.map((row) => rowPiece(row, read, { pieces, undone, known: byName(known.rows) })),
        ...whole.map((block) =>
          blockPiece(block, { ...read, to: end }, { pieces, undone, known: byName(known.blocks) }),
        ),
      ],
      next: end < to ? end : undefined,
    };
  }
}

/** As `blocksStatement` gives it. */
interface ToldStanding {
  readonly since: number | null;
  readonly undone: number | null;
  readonly behind: Parameters<typeof behindOf>[0];
}

interface PageRead {
  readonly rows: readonly StoredRow[];
  readonly rowsMax: number;
  readonly blocks: readonly (BlockRow & StoredRow)[];
}

/**
 * The blocks that have Days of a page. Known ones name no file, and neither do those that are beyond what a statement
 * reads: of both no parts are fetched.
 */
async function wholeOf(
  db: Ledger,
  read: RangeRead,
  blocks: readonly (BlockRow & StoredRow)[],
): Promise<readonly (BlockRow & StoredRow)[]> {
  const { merchant, grain, breakdowns } = read;
  const [, toDay] = daysOf(read);
  const needed = blocks.filter(({ beyond, firstDay }) => beyond === 0 && firstDay < toDay);
  const named = needed.map((block) => ({ ...block, merchant }));
  return withParts(db, named, dimensionsRead(grain, breakdowns));
}

/**
 * The bucket before which a page is complete. A page is what one transaction saw of a run of buckets, so a Day that is
 * packed or unpacked meanwhile is in one page alone, and there once.
 */
function endOf({ grain, to }: RangeRead, { rows, rowsMax, blocks }: PageRead): number {
  const last = rows.length < rowsMax ? to : (rows.at(-1)?.["bucket"] as number);
  const beyond = blocks.find((one) => one["beyond"] === 1)?.firstDay;
  // An Hour may belong to the Day before the UTC day that it begins in.
  const first = beyond === undefined ? to : grain === "day" ? beyond : (beyond - 1) * DAY_MS;
  return Math.min(to, last, first);
}

interface Known {
  readonly pieces: Pieces;
  readonly undone: number | null;
  /** What was known when the ledger was asked, by `nameOf`. */
  readonly known: ReadonlyMap<string, Piece>;
}

function byName(pieces: readonly Piece[]): ReadonlyMap<string, Piece> {
  return new Map(pieces.map((piece) => [nameOf(piece), piece]));
}

function nameOf({ at, partition }: Pick<PieceName, "at" | "partition">): string {
  return `${at} ${partition}`;
}

function rowPiece(row: StoredRow, read: RangeRead, known: Known): () => readonly RollupRow[] {
  const [at, partition, version] = [row["bucket"] as number, row["partition"] as string, row["version"] as number];
  const isKnown = row["isKnown"] === 1;
  return () => rowsOfPiece({ kind: "row", at, partition, version }, isKnown, known, () => [toRow(row, read)]);
}

/** Of a block those of its rollups that are in the range. All of them are kept. */
function blockPiece(block: BlockRow & StoredRow, read: RangeRead, known: Known): () => readonly RollupRow[] {
  const { grain, from, to, breakdowns } = read;
  const name = {
    kind: "block",
    at: block.firstDay,
    partition: block.partition,
    version: block["version"],
  } as PieceName;
  return () => {
    const isKnown = block["isKnown"] === 1;
    const rows = rowsOfPiece(name, isKnown, known, () => rowsOf(block, grain, breakdowns));
    return rows.filter(({ bucket }) => bucket >= from && bucket < to);
  };
}

function rowsOfPiece(
  name: PieceName,
  isKnown: boolean,
  { pieces, undone, known }: Known,
  decode: () => readonly RollupRow[],
): readonly RollupRow[] {
  if (isKnown) return (known.get(nameOf(name)) as Piece).rows;
  const rows = decode();
  pieces.keep({ ...name, rows }, undone);
  return rows;
}

function knownBlocks({ grain, from, to }: RangeRead, pieces: Pieces): readonly Piece[] {
  const [fromDay, toDay] = daysOf({ grain, from, to });
  return pieces.known("block", blockOf(fromDay), toDay);
}

/** What a reader says that it has, as a statement takes it. */
function namesOf(names: readonly PieceName[]): string {
  return JSON.stringify(names.map(({ at, partition, version }) => [at, partition, version]));
}

const KNOWN = (parameter: string) => `WITH known AS MATERIALIZED (
  SELECT value ->> 0 AS at, value ->> 1 AS "partition", value ->> 2 AS version FROM json_each(${parameter}))`;

/** The rows of a page. A row that the reader has comes without what is in it. */
function rowsStatement(
  db: Ledger,
  read: RangeRead,
  { rowsMax, known }: { readonly rowsMax: number; readonly known: readonly Piece[] },
): D1PreparedStatement {
  const { merchant, grain, from, to } = read;
  const text = textOf(`row ${shapeOf(read)}`, () => rowsText(grain, read));
  return db.prepare(text).bind(merchant, from, to, namesOf(known), rowsMax);
}

function rowsText(grain: RangeRead["grain"], read: RollupColumns): string {
  const columns = columnsOf(read).filter(({ name }) => name !== "version");
  const unless = columns.map(({ name, read: of }) => `CASE WHEN k.at IS NULL THEN ${of} END AS "${name}"`);
  return `${KNOWN("?4")}
    SELECT t.bucket, t."partition", t.version AS version, k.at IS NOT NULL AS "isKnown", ${unless.join(", ")}
    FROM ${tableOf(grain)} AS t LEFT JOIN known AS k
      ON k.at = t.bucket AND k."partition" = t."partition" AND k.version = t.version
    WHERE t.merchant = ?1 AND t.bucket >= ?2 AND t.bucket < ?3 ORDER BY t.bucket, t."partition" LIMIT ?5`;
}

interface BlocksAsked {
  readonly bytesMax: number;
  readonly around: Around | undefined;
  readonly known: readonly Piece[];
}

/**
 * One row that says what stands in the way, and the blocks of a page, as many as come to `bytesMax`. Of those
 * behind them, and of those that the reader has, only names come.
 */
function blocksStatement(db: Ledger, read: RangeRead, { bytesMax, around, known }: BlocksAsked): D1PreparedStatement {
  const { merchant, grain, from, to, breakdowns } = read;
  const [fromDay, toDay] = daysOf({ grain, from, to });
  const parts = partColumnsOf(dimensionsRead(grain, breakdowns));
  const isTold = around !== undefined;
  const shape = `block ${shapeOf(read)} ${isTold}`;
  const text = textOf(shape, () => blocksText(parts, isTold));
  const told = isTold ? [around.fromDay, around.toDay, around.deliveredSince] : [0, 0, 0];
  return db.prepare(text).bind(merchant, ...told, blockOf(fromDay), toDay, namesOf(known), bytesMax);
}

function blocksText(parts: readonly string[], isTold: boolean): string {
  const standing = `SELECT NULL AS "firstDay", NULL AS "partition", NULL AS version, NULL AS "isKnown", NULL AS beyond,
      NULL AS file, NULL AS spans, json_object('since', (${OVERFLOW_SINCE}), 'undone', (${UNDONE}), 'behind', (
        SELECT json_group_array(json_array(day, "partition", shown)) FROM (${BEHIND}))) AS standing
      ${parts.map((name) => `, NULL AS "${name}"`).join("")}
    UNION ALL`;
  // What a month file has of a part is as many bytes as its span says, none for a part that is younger than the block.
  const here = parts.map((name) => `length(b."${name}")`);
  const filed = parts.map((name) => `coalesce(b.spans ->> '$[${PART_COLUMNS.indexOf(name)}][1]', 0)`);
  const bytes = `CASE WHEN b.file = '' THEN ${here.join(" + ")} ELSE ${filed.join(" + ")} END`;
  // Columns that are not read stay on their pages: SQLite knows the length of a blob without it.
  return `${KNOWN("?7")}
    ${isTold ? standing : ""}
    SELECT first_day AS "firstDay", "partition", version, "isKnown", begins >= ?8 AS beyond,
      CASE WHEN "isKnown" = 0 AND begins < ?8 THEN file ELSE '' END AS file,
      CASE WHEN "isKnown" = 0 AND begins < ?8 THEN spans ELSE '' END AS spans, NULL AS standing
      ${parts.map((name) => `, CASE WHEN "isKnown" = 0 AND begins < ?8 THEN hex("${name}") END AS "${name}"`).join("")}
    FROM (SELECT *, sum(bytes) OVER (ORDER BY first_day, "partition" ROWS UNBOUNDED PRECEDING) - bytes AS begins
      FROM (SELECT b.first_day, b."partition", b.version, b.file, b.spans, k.at IS NOT NULL AS "isKnown",
          CASE WHEN k.at IS NULL THEN ${bytes} ELSE 0 END AS bytes
          ${parts.map((name) => `, CASE WHEN k.at IS NULL THEN b."${name}" END AS "${name}"`).join("")}
        FROM blocks AS b LEFT JOIN known AS k
          ON k.at = b.first_day AND k."partition" = b."partition" AND k.version = b.version
        WHERE b.merchant = ?1 AND b.first_day >= ?5 AND b.first_day < ?6 AND ${HAS_DAYS}
          AND ?2 = ?2 AND ?3 = ?3 AND ?4 = ?4))`;
}

/** The Days that buckets may belong to: an Hour perhaps to the one before or after the UTC day that it begins in. */
function daysOf({ grain, from, to }: Pick<RangeRead, "grain" | "from" | "to">): readonly [from: number, to: number] {
  return grain === "day" ? [from, to] : [dayNumber(from) - 1, dayNumber(to) + 2];
}

function shapeOf({ grain, sketch, presence = false, breakdowns }: RollupColumns): string {
  return [grain, sketch, presence, breakdowns].join(" ");
}

/** Texts of statements, by what they depend on: making one takes longer than most of what it reads. */
const texts = new Map<string, string>();

function textOf(shape: string, make: () => string): string {
  const known = texts.get(shape) ?? make();
  texts.set(shape, known);
  return known;
}

function dayNumber(instant: number): number {
  return Math.floor(instant / DAY_MS);
}

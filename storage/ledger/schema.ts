// A ledger's D1 schema: rollups, and everything that has to change in one transaction with them: closed Days,
// where events lie, parts of jobs, undo, erasures, and fences, which say what a ledger must know of the
// directory. Rollup tables take their columns from core's lists of counters and dimensions, so there is no second
// order of columns to keep in step. Most are WITHOUT ROWID (the migration says so; drizzle cannot): a rollup is
// then one row write instead of two.

import { sql } from "drizzle-orm";
import { customType, index, integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { SECTIONS } from "../../core/block/section.ts";
import type { Mismatch } from "../../core/counting/difference.ts";
import { DIMENSIONS, type DimensionName } from "../../core/counting/dimension.ts";
import { COUNTERS, type Counter } from "../../core/counting/rollup.ts";
import type { Grain } from "../../core/counting/rollup-row.ts";
import type { ImportedTableName } from "../../core/imported/table.ts";
import type { Alarms } from "../../core/notice/alarm.ts";
import type { Message } from "../../core/notice/message.ts";
import type { DropReason } from "../../core/outcome.ts";
import type { JobQuestion } from "../../core/query/job.ts";
import type { ReplayKind, ReplayState } from "../directory/schema.ts";

/** One row: which ledger this is, such as 3 of 8. */
export const identity = sqliteTable("identity", {
  id: integer("id").primaryKey(),
  /** From 0. */
  position: integer("position").notNull(),
  ledgers: integer("ledgers").notNull(),
  /** Under which the directory knows it (claimed_ledgers). */
  name: text("name").notNull(),
});

/**
 * The highest version of a scope's settings that somebody was about to write, or had written, to the directory. What
 * was counted by a lower one is not written here. The deployment's own has the number 0.
 */
export const settingsFences = sqliteTable("settings_fences", {
  merchant: integer("merchant").primaryKey(),
  version: integer("version").notNull(),
  /** Whether the merchant was deleted: nothing of it is published any more. */
  ended: integer("ended", { mode: "boolean" }).notNull().default(false),
});

/** What a ledger knows of the state of a replay job that has parts in it. */
export const jobFences = sqliteTable(
  "job_fences",
  {
    job: text("job").primaryKey(),
    kind: text("kind").$type<ReplayKind>().notNull(),
    /** Of a job of one merchant alone; null of others. */
    merchant: integer("merchant"),
    state: text("state").$type<ReplayState>().notNull(),
    /** Of the job's header when it had this state. */
    epoch: integer("epoch").notNull(),
    /**
     * Whether it puts a zone on past Days of its merchant: then events change Days, and parts must not be read half
     * done.
     */
    zoned: integer("zoned", { mode: "boolean" }).notNull().default(false),
  },
  // Questions look for those that were undone (UNDONE), and for a merchant's zones that are being put on
  // (listBehind).
  (table) => [
    index("job_fences_state").on(table.state),
    index("job_fences_zoned").on(table.merchant).where(sql`zoned = 1`),
  ],
);

/** D1 takes an ArrayBuffer and gives back an array of numbers. */
const bytes = customType<{ data: Uint8Array; driverData: ArrayBuffer | readonly number[] }>({
  dataType: () => "blob",
  toDriver: (value) => value.slice().buffer as ArrayBuffer,
  fromDriver: (value) => new Uint8Array(value),
});

type CounterColumns = Record<Counter, ReturnType<typeof counterColumn>>;

type BreakdownColumns = Record<BreakdownColumn, ReturnType<typeof bytes>>;

/** The column of a dimension's breakdown, such as "by_page". */
export type BreakdownColumn = `by_${DimensionName}`;

/** Everything of a rollup except what names it. Small columns first: totals are read without touching breakdowns. */
const rollupColumns = () => ({
  day: integer("day").notNull(),
  /** A position in the partition's log; of a rebuilt row a fraction more (REBUILD_VERSION_STEP). */
  version: integer("version").notNull(),
  ...(Object.fromEntries(COUNTERS.map((counter) => [counter, counterColumn(counter)])) as CounterColumns),
  /** `toMoneyText` */
  money: text("money").notNull().default("{}"),
  drops: text("drops", { mode: "json" }).$type<Partial<Record<DropReason, number>>>().notNull(),
  sketch: bytes("sketch").notNull(),
  presence: bytes("presence").notNull().default(sql`x''`),
  ...(Object.fromEntries(DIMENSIONS.map(({ name }) => [`by_${name}`, bytes(`by_${name}`)])) as BreakdownColumns),
});

/** One row per merchant, Hour and partition. `bucket` is the UTC ms the Hour starts. */
export const hourly = sqliteTable(
  "hourly",
  {
    merchant: integer("merchant").notNull(),
    bucket: integer("bucket").notNull(),
    partition: text("partition").notNull(),
    ...rollupColumns(),
  },
  (table) => [primaryKey({ columns: [table.merchant, table.bucket, table.partition] })],
);

/** One row per merchant, Day and partition. `bucket` is the number of the Day, as `day` is. */
export const daily = sqliteTable(
  "daily",
  {
    merchant: integer("merchant").notNull(),
    bucket: integer("bucket").notNull(),
    partition: text("partition").notNull(),
    ...rollupColumns(),
  },
  (table) => [primaryKey({ columns: [table.merchant, table.bucket, table.partition] })],
);

/**
 * What a merchant has imported as rollups (core/imported): a row for each table of a Day and import. Nothing that
 * counts events reads or writes it. An import that was taken back keeps its rows, and answers pass over them.
 */
export const importedDays = sqliteTable(
  "imported_days",
  {
    merchant: integer("merchant").notNull(),
    /** The name of the table (core/imported/table.ts). */
    table: text("table").$type<ImportedTableName>().notNull(),
    day: integer("day").notNull(),
    /** The number of the import. */
    import: integer("import").notNull(),
    /** How many rows it has, and how many bytes they take here. */
    rows: integer("rows").notNull(),
    bytes: integer("bytes").notNull(),
    /** `encodeImportedRows`, deflated. */
    packed: bytes("packed").notNull(),
  },
  (table) => [primaryKey({ columns: [table.merchant, table.table, table.day, table.import] })],
);

/**
 * Closed Days of a merchant in one partition, packed (core/block): up to ten, from a multiple of ten on. A
 * Day is here or in the two tables above, never in both: `storage/ledger/pack.ts` moves it. Each part is
 * deflated by itself and read alone.
 */
export const blocks = sqliteTable(
  "blocks",
  {
    merchant: integer("merchant").notNull(),
    /** The first that it may have. */
    firstDay: integer("first_day").notNull(),
    partition: text("partition").notNull(),
    /** Grows with every change. A block that no Day is left in stays for its sake. */
    version: integer("version").notNull(),
    /** A list of ten: of each Day how many events it counted, null where it is not in here. */
    events: text("events").notNull(),
    /** The same of its version. */
    versions: text("versions").notNull(),
    /** The month file that has its parts, which then are empty here (month-file.ts); empty for none. */
    file: text("file").notNull().default(""),
    /** JSON: where each part lies in that file. */
    spans: text("spans").notNull().default(""),
    head: bytes("head").notNull(),
    ...Object.fromEntries(SECTIONS.map(({ name }) => [name, bytes(name).notNull()])),
  },
  (table) => [
    primaryKey({ columns: [table.merchant, table.firstDay, table.partition] }),
    // Finds what is to leave the ledger. Packing leaves `file` alone where it is empty, so that this costs a row write
    // a block and not one a Day.
    index("blocks_here").on(table.firstDay, table.partition, table.merchant).where(sql`file = ''`),
  ],
);

/** The month files that the ledger's blocks lie in, and those that are to be deleted (age.ts). */
export const monthFiles = sqliteTable(
  "month_files",
  {
    merchant: integer("merchant").notNull(),
    /** Its first Day. */
    month: integer("month").notNull(),
    partition: text("partition").notNull(),
    /** Its name, as blocks have it. */
    file: text("file").notNull(),
    /** How many blocks it has. As long as all of them name it, nothing in it is out of date. */
    blocks: integer("blocks").notNull(),
    /** UTC ms at which the cron looks whether it is to be deleted; null where all of its blocks name it. */
    dueAt: integer("due_at"),
    /** UTC ms since which no block names it; null before that was seen. */
    unusedSince: integer("unused_since"),
    /** Whether it may have numbers of somebody who was erased. */
    erased: integer("erased", { mode: "boolean" }).notNull().default(false),
    /** Whether it is being deleted: from then on no block may name it. */
    deleting: integer("deleting", { mode: "boolean" }).notNull().default(false),
  },
  (table) => [
    primaryKey({ columns: [table.merchant, table.month, table.partition, table.file] }),
    index("month_files_due").on(table.dueAt).where(sql`due_at IS NOT NULL`),
  ],
);

/** One (Day, partition) of a job: what a message of footfall-replay names, and what came out. */
export const replayParts = sqliteTable(
  "replay_parts",
  {
    job: text("job").notNull(),
    day: integer("day").notNull(),
    partition: text("partition").notNull(),
    state: text("state").$type<PartState>().notNull(),
    /** UTC ms its message was last sent; 0 before. */
    sentAt: integer("sent_at").notNull(),
    events: integer("events").notNull(),
    /** Buckets compared. */
    buckets: integer("buckets").notNull(),
    differences: integer("differences").notNull(),
    inDoubt: integer("in_doubt").notNull(),
    /** Differences that a rebuild left alone, because the partition has not published the bucket. */
    unpublished: integer("unpublished").notNull(),
    /** Buckets a rebuild wrote. */
    replaced: integer("replaced").notNull(),
    durationMs: integer("duration_ms").notNull(),
    /** The first differences, as the API shows them. */
    shown: text("shown", { mode: "json" }).$type<readonly ShownDifference[]>().notNull(),
    /** Of a verify: what the first merchants' Days come to before and after. */
    totals: text("totals", { mode: "json" }).$type<readonly PartTotal[]>().notNull().default([]),
    /** Why it failed the last time; empty when it did not. */
    error: text("error").notNull(),
  },
  (table) => [primaryKey({ columns: [table.job, table.day, table.partition] })],
);

/** What a rebuild replaced, whole. A version of -1 says that there was no row. */
export const replayUndo = sqliteTable(
  "replay_undo",
  {
    job: text("job").notNull(),
    grain: text("grain").$type<Grain>().notNull(),
    merchant: integer("merchant").notNull(),
    bucket: integer("bucket").notNull(),
    partition: text("partition").notNull(),
    /** Of the row that took its place: only that one is taken back. */
    writtenVersion: real("written_version").notNull(),
    ...rollupColumns(),
  },
  // A part's rows lie together: it counts them when it is done, and an undo takes them some merchants at a time.
  (table) => [
    primaryKey({ columns: [table.job, table.day, table.partition, table.merchant, table.grain, table.bucket] }),
  ],
);

/** What is known of a closed (Day, partition): whether it is sealed, and what came since. */
export const archiveDays = sqliteTable(
  "archive_days",
  {
    day: integer("day").notNull(),
    partition: text("partition").notNull(),
    /** How often it was sealed; 0 before the first time. */
    generation: integer("generation").notNull(),
    /** Folder of its sealed files; empty before. */
    folder: text("folder").notNull(),
    rows: integer("rows").notNull(),
    merchants: integer("merchants").notNull(),
    bytes: integer("bytes").notNull(),
    /** Rows left out of the files: the same id once more. */
    duplicates: integer("duplicates").notNull(),
    /** Buckets whose numbers the first seal had to correct: normally none. */
    differences: integer("differences").notNull(),
    /** The first of them, as the API shows them. */
    shown: text("shown", { mode: "json" }).$type<readonly ShownDifference[]>().notNull(),
    /** UTC ms; null before. */
    sealedAt: integer("sealed_at"),
    /** Since when archived events wait to be counted; null when none do. UTC ms. */
    lateSince: integer("late_since"),
    /** Grows with every late bundle, so that one that comes during a recount is not forgotten after it. */
    lateMarks: integer("late_marks").notNull(),
    /** UTC ms at which the cron is to send a message for it; null when there is nothing to do. */
    dueAt: integer("due_at"),
    /** Failed in a row, and why the last time. */
    attempts: integer("attempts").notNull(),
    error: text("error").notNull(),
    /** UTC ms at which what the last seal stood on is deleted; null when it has been. */
    cleanAt: integer("clean_at"),
    /** The longest retention, in days, that was enforced here. */
    expired: integer("expired").notNull().default(0),
    /**
     * Grows with every write that leaves numbers of the Day in rows, as publishing does; 0 once all of them are packed.
     */
    unpacked: integer("unpacked").notNull().default(1),
    /** UTC ms at which events last came late; null where none did since the Day was first noted. */
    lateAt: integer("late_at"),
    /**
     * 1 where the bucket was lost and the archive may lack events that the Day's numbers count: the next look compares
     * both before it writes anything (doubt.ts).
     */
    doubted: integer("doubted").notNull().default(0),
    /** Merchants whose events of it are lost at least in part. Their numbers stay as they are. */
    lost: integer("lost").notNull().default(0),
  },
  (table) => [
    primaryKey({ columns: [table.day, table.partition] }),
    index("archive_days_due").on(table.dueAt),
    index("archive_days_unpacked").on(table.day).where(sql`unpacked > 0 AND due_at IS NULL`),
  ],
);

/** Where a merchant's events lie: a row for each (Day, partition) that the archive has anything of. It stays. */
export const places = sqliteTable(
  "places",
  {
    merchant: integer("merchant").notNull(),
    /** Of the folder: a zone of the past may show its events on another Day. */
    day: integer("day").notNull(),
    partition: text("partition").notNull(),
  },
  (table) => [primaryKey({ columns: [table.merchant, table.day, table.partition] })],
);

/** Which of those have late events that no rollup knows yet. The recount that counts them deletes the row. */
export const uncounted = sqliteTable(
  "uncounted",
  {
    merchant: integer("merchant").notNull(),
    day: integer("day").notNull(),
    partition: text("partition").notNull(),
    /** `late_marks` of the Day after the last of them: a recount that had seen so many has counted them. */
    marks: integer("marks").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.merchant, table.day, table.partition] }),
    index("uncounted_day").on(table.day, table.partition),
  ],
);

/** An overflow message that was acknowledged and that its partition has not taken, for each merchant in it. */
export const overflowNotes = sqliteTable(
  "overflow_notes",
  {
    merchant: integer("merchant").notNull(),
    /** Of the message. */
    id: text("id").notNull(),
    /** UTC ms its first event was received. */
    since: integer("since").notNull(),
    /** UTC ms it was delivered; null while it waits. */
    doneAt: integer("done_at"),
  },
  (table) => [primaryKey({ columns: [table.merchant, table.id] })],
);

/**
 * What each partition told last of where it stands. It tells when it publishes, so that nobody has to wake it to ask.
 */
export const partitionStatus = sqliteTable("partition_status", {
  partition: text("partition").primaryKey(),
  /** UTC ms. */
  toldAt: integer("told_at").notNull(),
  /** UTC ms at which it means to publish next; null where it has nothing to publish. */
  publishDue: integer("publish_due"),
  /** Events it ever made durable, and those of them that lie in the archive. */
  events: integer("events").notNull(),
  archivedEvents: integer("archived_events").notNull(),
  /** UTC ms at which the oldest event was received that may not lie in the archive; null where all do. */
  unarchivedSince: integer("unarchived_since"),
  unconfirmedBundles: integer("unconfirmed_bundles").notNull(),
  heldBytes: integer("held_bytes").notNull(),
  merchants: integer("merchants").notNull(),
  /** Duties that have failed and were not done since, such as "drain"; empty for none. */
  failing: text("failing").notNull(),
  /** UTC ms at which it last slowed a merchant (HLD-2), or found one too hot (SPR-5); null for never. */
  slowedAt: integer("slowed_at"),
  hotAt: integer("hot_at"),
  /** What its storage is known by (partition-claim.ts); empty where none has claimed the name. */
  claim: text("claim").notNull().default(""),
});

/** Billable operations of a month, as isolates have added them (month-meter.ts). */
export const monthMeters = sqliteTable("month_meters", {
  /** Such as "2026-11", in UTC. */
  month: text("month").primaryKey(),
  workerRequests: integer("worker_requests").notNull().default(0),
  partitionRequests: integer("partition_requests").notNull().default(0),
  partitionRowsWritten: integer("partition_rows_written").notNull().default(0),
  partitionRowsRead: integer("partition_rows_read").notNull().default(0),
  queueOperations: integer("queue_operations").notNull().default(0),
  r2ClassA: integer("r2_class_a").notNull().default(0),
  r2ClassB: integer("r2_class_b").notNull().default(0),
  d1RowsWritten: integer("d1_rows_written").notNull().default(0),
  d1RowsRead: integer("d1_rows_read").notNull().default(0),
});

/** What somebody wants erased, and how far it is. It stays when it is done: it is the receipt. */
export const erasures = sqliteTable(
  "erasures",
  {
    /** Grows: what was asked for later has a higher one. */
    number: integer("number").primaryKey({ autoIncrement: true }),
    id: text("id").notNull().unique(),
    merchant: integer("merchant").notNull(),
    kind: text("kind").$type<ErasureKind>().notNull(),
    /** As events have it, 16 hex digits; empty for all visitors. */
    visitor: text("visitor").notNull(),
    /** Numbers of Days in [from, to). */
    fromDay: integer("from_day").notNull(),
    toDay: integer("to_day").notNull(),
    state: text("state").$type<"running" | "done">().notNull(),
    /** UTC ms. */
    createdAt: integer("created_at").notNull(),
    finishedAt: integer("finished_at"),
    /** UTC ms at which all that its partitions held when they were told was seen in the archive; null before. */
    archivedAt: integer("archived_at"),
    /** Of a whole merchant: whether the directory still has rows of it. */
    inDirectory: integer("in_directory", { mode: "boolean" }).notNull().default(false),
  },
  (table) => [index("erasures_merchant").on(table.merchant), index("erasures_state").on(table.state)],
);

/** A (Day, partition) an erasure concerns. */
export const erasureParts = sqliteTable(
  "erasure_parts",
  {
    day: integer("day").notNull(),
    partition: text("partition").notNull(),
    erasure: integer("erasure").notNull(),
    /** Position at which the partition has let go of it: what lies below is meant. 0 before. */
    told: integer("told").notNull(),
    state: text("state").$type<"waiting" | "done">().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.day, table.partition, table.erasure] }),
    index("erasure_parts_erasure").on(table.erasure),
  ],
);

/** What was removed of a merchant from one (Day, partition): the lines of a receipt. */
export const removals = sqliteTable(
  "removals",
  {
    merchant: integer("merchant").notNull(),
    /** Id of the erasure, "retention", or "lost" for what was lost with the bucket. */
    erasure: text("erasure").notNull(),
    day: integer("day").notNull(),
    partition: text("partition").notNull(),
    /** UTC ms. */
    at: integer("at").notNull(),
    /** The merchant's rows in the archive, before and after. */
    rowsBefore: integer("rows_before").notNull(),
    rowsAfter: integer("rows_after").notNull(),
    /** Folder of the files that were replaced, or of the bundles; and of those that took their place. */
    replaced: text("replaced").notNull(),
    folder: text("folder").notNull(),
  },
  (table) => [primaryKey({ columns: [table.merchant, table.erasure, table.day, table.partition, table.at] })],
);

/** Notices to merchants, from when they are written until it is forgotten that they were sent (outbox.ts). */
export const outbox = sqliteTable(
  "outbox",
  {
    merchant: integer("merchant").notNull(),
    /** What it is about and for whom, such as "sub_…:weekly:2026-W48". So nothing is written twice. */
    id: text("id").notNull(),
    subscription: text("subscription").notNull(),
    state: text("state").$type<OutboxState>().notNull(),
    /** Null once it does not wait any more. */
    message: text("message", { mode: "json" }).$type<Message>(),
    createdAt: integer("created_at").notNull(),
    /** UTC ms of the next attempt, and of the end; of which one is null. */
    nextAt: integer("next_at"),
    endedAt: integer("ended_at"),
    attempts: integer("attempts").notNull(),
    /** What the last attempt came to; empty where it was taken. */
    error: text("error").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.merchant, table.id] }),
    index("outbox_next").on(table.nextAt),
    index("outbox_ended").on(table.endedAt),
  ],
);

/** "dropped": its subscription was gone, or off, when it was to be sent. */
export type OutboxState = "waiting" | "sent" | "failed" | "dropped";

/** The alarms of each merchant that has asked to be told of any, after the last Hour that was looked at. */
export const merchantAlarms = sqliteTable("merchant_alarms", {
  merchant: integer("merchant").primaryKey(),
  alarms: text("alarms", { mode: "json" }).$type<Alarms>().notNull(),
});

/** A question that is too large for one request: one row until its answer is forgotten. */
export const questionJobs = sqliteTable(
  "question_jobs",
  {
    id: text("id").primaryKey(),
    merchant: integer("merchant").notNull(),
    /** What was asked, and with what it was understood. */
    question: text("question", { mode: "json" }).$type<JobQuestion>().notNull(),
    state: text("state").$type<QuestionJobState>().notNull(),
    /** What the asker is told when there is no answer. */
    error: text("error").notNull(),
    /** UTC ms: asked, parts last sent, ended. */
    createdAt: integer("created_at").notNull(),
    sentAt: integer("sent_at").notNull(),
    finishedAt: integer("finished_at"),
  },
  (table) => [index("question_jobs_merchant").on(table.merchant, table.state)],
);

/** What a part of such a job reads: some (Day, partition)s. */
export const questionParts = sqliteTable(
  "question_parts",
  {
    job: text("job").notNull(),
    part: integer("part").notNull(),
    places: text("places", { mode: "json" }).$type<readonly (readonly [day: number, partition: string])[]>().notNull(),
    done: integer("done", { mode: "boolean" }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.job, table.part] })],
);

export type QuestionJobState = "running" | "done" | "failed";

export type ErasureKind = "visitor" | "days" | "merchant";

/** One number of a merchant in one part, as it is shown and as it was counted again. */
export type PartTotal = readonly [merchant: number, what: string, before: number, after: number];

export type PartState = "waiting" | "done" | "failed" | "undone";

/** A difference as it is kept and shown. */
export interface ShownDifference {
  readonly merchant: number;
  readonly grain: Grain;
  readonly bucket: number;
  readonly in_doubt: boolean;
  readonly mismatches: readonly Mismatch[];
}

function counterColumn(counter: Counter) {
  return integer(counter).notNull();
}

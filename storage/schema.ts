// The D1 schema: merchants, their streams, keys, members and share links, the log of what was administered, exchange
// rates, the rollups, and replay jobs. Written here once; `npm run db:generate` makes the migrations from it. Rollup
// tables take their columns from core's lists of counters and dimensions, so there is no second order of columns to
// keep in step. They are WITHOUT ROWID, as parts of jobs are (the migrations say so; drizzle cannot): a rollup is then
// one row write instead of two.

import { sql } from "drizzle-orm";
import { customType, index, integer, primaryKey, real, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { Mismatch } from "../core/counting/difference.ts";
import { DIMENSIONS, type DimensionName } from "../core/counting/dimension.ts";
import { COUNTERS, type Counter } from "../core/counting/rollup.ts";
import type { Grain } from "../core/counting/rollup-row.ts";
import type { CurrencyTimeline, PastZone, SpreadTimeline, ZonePeriod } from "../core/merchant.ts";
import type { DropReason } from "../core/outcome.ts";
import type { JobQuestion } from "../core/query/job.ts";
import type { Rules, RuleTimeline } from "../core/rules.ts";

/** D1 takes an ArrayBuffer and gives back an array of numbers. */
const bytes = customType<{ data: Uint8Array; driverData: ArrayBuffer | readonly number[] }>({
  dataType: () => "blob",
  toDriver: (value) => value.slice().buffer as ArrayBuffer,
  fromDriver: (value) => new Uint8Array(value),
});

/** The tenant. The row of number 0 is nobody's: it holds the deployment's own rules (GLOBAL_MERCHANT). */
export const merchants = sqliteTable(
  "merchants",
  {
    /** In every tracking ID; 32 bits. */
    number: integer("number").primaryKey({ autoIncrement: true }),
    /** What the API calls it; not guessable. */
    id: text("id").notNull().unique(),
    name: text("name").notNull(),
    zones: text("zones", { mode: "json" }).$type<readonly ZonePeriod[]>().notNull(),
    /** The one that answers are in. */
    currency: text("currency").notNull(),
    rules: text("rules", { mode: "json" }).$type<RuleTimeline>().notNull(),
    /** Grows with every change of settings. */
    version: integer("version").notNull(),
    createdAt: integer("created_at").notNull(),
    /** For how many days events are kept; null for good. */
    retentionDays: integer("retention_days"),
    /** Over how many partitions it is spread, and from when. */
    spread: text("spread", { mode: "json" }).$type<SpreadTimeline>().notNull().default([]),
    /** Which one events without a currency are in, and from when. */
    currencies: text("currencies", { mode: "json" }).$type<CurrencyTimeline>().notNull().default([]),
    /** Zones that replays have put on past Days. */
    pastZones: text("past_zones", { mode: "json" }).$type<readonly PastZone[]>().notNull().default([]),
  },
  // Every seal asks who has any: without it that is a look at every merchant.
  (table) => [index("merchants_moved").on(table.number).where(sql`past_zones <> '[]'`)],
);

/**
 * Whose settings were changed, each with the number of the last change; numbers grow. Triggers write it (the migration says so;
 * drizzle cannot), so that no way of changing settings can forget it. Rows stay when their merchant goes.
 */
export const settingsChanges = sqliteTable(
  "settings_changes",
  {
    merchant: integer("merchant").primaryKey(),
    change: integer("change").notNull(),
  },
  (table) => [uniqueIndex("settings_changes_change").on(table.change)],
);

/** A merchant's shop, app or till. */
export const streams = sqliteTable(
  "streams",
  {
    merchant: integer("merchant").notNull(),
    /** From 1 within the merchant; 16 bits. */
    number: integer("number").notNull(),
    name: text("name").notNull(),
    /** A hostname the merchant owns; questions may name it as `site_id`. */
    hostname: text("hostname").unique(),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.merchant, table.number] })],
);

/** Every version of a scope's rules that was ever decided, kept for good: timelines name them. */
export const ruleVersions = sqliteTable(
  "rule_versions",
  {
    merchant: integer("merchant").notNull(),
    /** From 1 within the scope. */
    version: integer("version").notNull(),
    rules: text("rules", { mode: "json" }).$type<Rules>().notNull(),
    /** Why, in the words of whoever changed them; may be empty. */
    note: text("note").notNull(),
    /** UTC ms. */
    createdAt: integer("created_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.merchant, table.version] })],
);

/** The deployment's exchange rates, a row for each Day on which any were published. */
export const rates = sqliteTable("rates", {
  day: integer("day").primaryKey(),
  /** What one euro is in each currency, as decimal numbers. */
  perEuro: text("per_euro", { mode: "json" }).$type<Readonly<Record<string, string>>>().notNull(),
});

/** What merchants decided about exchange rates (core/rate.ts): from a Day on, one `currency` is `rate` of `in`. */
export const ownRates = sqliteTable(
  "own_rates",
  {
    merchant: integer("merchant").notNull(),
    currency: text("currency").notNull(),
    in: text("in").notNull(),
    from: integer("from_day").notNull(),
    rate: text("rate").notNull(),
  },
  (table) => [primaryKey({ columns: [table.merchant, table.currency, table.in, table.from] })],
);

/** How often rates were changed: the deployment's (under GLOBAL_MERCHANT) and those of merchants that have any. */
export const rateVersions = sqliteTable("rate_versions", {
  merchant: integer("merchant").primaryKey(),
  version: integer("version").notNull(),
  /** UTC ms at which the deployment's were last fetched by the cron; null while they never were. */
  fetchedAt: integer("fetched_at"),
});

/** API keys: only a hash of the key is kept. */
export const apiKeys = sqliteTable(
  "api_keys",
  {
    id: text("id").primaryKey(),
    merchant: integer("merchant").notNull(),
    name: text("name").notNull(),
    /** SHA-256 of the whole key, in hex. A key has 256 random bits: it needs no slow hash. */
    hash: text("hash").notNull().unique(),
    /** First characters, to tell keys apart in a list. */
    hint: text("hint").notNull(),
    createdAt: integer("created_at").notNull(),
    /** UTC ms; null for never. */
    expiresAt: integer("expires_at"),
    /** What the key may do. */
    scope: text("scope").$type<Scope>().notNull().default("read"),
    /** UTC ms, to the hour; null while it was never used. */
    lastUsedAt: integer("last_used_at"),
    /** Of the secret before the last rotation, and until when (UTC ms) that one is still good. */
    previousHash: text("previous_hash").unique(),
    previousUntil: integer("previous_until"),
  },
  (table) => [index("api_keys_merchant").on(table.merchant)],
);

/** What a key may do, each named once: send events, ask questions and read settings, or that and change everything of its
 *  merchant. */
export const SCOPES = ["read", "write", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** A person of one merchant, who signs in. The same address at two merchants is two members: tenants are apart. */
export const members = sqliteTable(
  "members",
  {
    id: text("id").primaryKey(),
    merchant: integer("merchant").notNull(),
    /** In its one spelling (parseEmail). */
    email: text("email").notNull(),
    role: text("role").$type<Role>().notNull(),
    /** Slow hash with its parameters (password.ts); null where Cloudflare Access signs in. */
    password: text("password"),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [uniqueIndex("members_of").on(table.merchant, table.email), index("members_email").on(table.email)],
);

/** What a member may: look; run the merchant; that and decide who else is one. */
export const ROLES = ["viewer", "admin", "owner"] as const;
export type Role = (typeof ROLES)[number];

/** One-time links by which somebody becomes a member, or a member gets a new password. */
export const invites = sqliteTable(
  "invites",
  {
    id: text("id").primaryKey(),
    merchant: integer("merchant").notNull(),
    email: text("email").notNull(),
    role: text("role").$type<Role>().notNull(),
    /** SHA-256 of the token, in hex. */
    hash: text("hash").notNull().unique(),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at").notNull(),
  },
  (table) => [index("invites_merchant").on(table.merchant)],
);

/** Who is signed in. */
export const sessions = sqliteTable(
  "sessions",
  {
    /** SHA-256 of the token in the cookie, in hex. */
    hash: text("hash").primaryKey(),
    member: text("member").notNull(),
    expiresAt: integer("expires_at").notNull(),
  },
  (table) => [index("sessions_member").on(table.member), index("sessions_end").on(table.expiresAt)],
);

/** Attempts to sign in, counted for names that exist and names that do not alike. */
export const signIns = sqliteTable(
  "sign_ins",
  {
    /** SHA-256 of merchant, address and where from, in hex. */
    hash: text("hash").primaryKey(),
    attempts: integer("attempts").notNull(),
    /** When counting starts again, UTC ms. */
    until: integer("until").notNull(),
  },
  (table) => [index("sign_ins_end").on(table.until)],
);

/** Links by which anybody may look at a part of a merchant's numbers. */
export const shares = sqliteTable(
  "shares",
  {
    id: text("id").primaryKey(),
    merchant: integer("merchant").notNull(),
    name: text("name").notNull(),
    /** SHA-256 of the token, in hex. */
    hash: text("hash").notNull().unique(),
    hint: text("hint").notNull(),
    /** Filters as a question has them, which every question asked by the link gets; empty for all numbers. */
    filters: text("filters", { mode: "json" }).$type<readonly unknown[]>().notNull(),
    createdAt: integer("created_at").notNull(),
    /** UTC ms; null for never. */
    expiresAt: integer("expires_at"),
  },
  (table) => [index("shares_merchant").on(table.merchant)],
);

/** Filters that a merchant saved under a name, for questions and share links to name. */
export const segments = sqliteTable(
  "segments",
  {
    id: text("id").primaryKey(),
    merchant: integer("merchant").notNull(),
    name: text("name").notNull(),
    /** As a question has them; they name no other segment. */
    filters: text("filters", { mode: "json" }).$type<readonly unknown[]>().notNull(),
    createdAt: integer("created_at").notNull(),
    /** UTC ms of the last change. */
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [uniqueIndex("segments_of").on(table.merchant, table.name)],
);

/** Administrative acts, each noted before it is done and completed after. */
export const audit = sqliteTable(
  "audit",
  {
    id: integer("id").primaryKey({ autoIncrement: true }),
    /** UTC ms. */
    at: integer("at").notNull(),
    /** "deployment", or the id of the key or member. */
    actor: text("actor").notNull(),
    /** Number of the merchant it is about; null when it is about none. */
    merchant: integer("merchant"),
    /** Such as "key.create". */
    act: text("act").notNull(),
    /** Id of what was made or changed. */
    target: text("target"),
    /** What was asked for, without secrets. */
    details: text("details", { mode: "json" }).$type<AuditDetails>().notNull(),
    outcome: text("outcome").$type<AuditOutcome>().notNull(),
  },
  (table) => [index("audit_merchant").on(table.merchant, table.id)],
);
export type AuditDetails = Readonly<Record<string, unknown>>;
/** "unknown" until the act has succeeded; an act that was refused leaves no entry. */
export type AuditOutcome = "unknown" | "done";

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

/** A replay of a range of Days that was asked for; what becomes of it is in its parts. */
export const replayJobs = sqliteTable(
  "replay_jobs",
  {
    id: text("id").primaryKey(),
    kind: text("kind").$type<ReplayKind>().notNull(),
    state: text("state").$type<ReplayState>().notNull(),
    /** Numbers of Days in [from, to). */
    fromDay: integer("from_day").notNull(),
    toDay: integer("to_day").notNull(),
    /** Numbers of the merchants; null for all. */
    merchants: text("merchants", { mode: "json" }).$type<readonly number[]>(),
    createdAt: integer("created_at").notNull(),
    /** UTC ms; null while it goes on. */
    finishedAt: integer("finished_at"),
    /** By which rules its Days are counted. */
    rules: text("rules").$type<ReplayRules>().notNull().default("dated"),
    /** The rules of a draft; null of all others. */
    draft: text("draft", { mode: "json" }).$type<Rules>(),
    /** The scopes whose timelines it put a period on, and of which version; null when it put none. An undo takes them back. */
    applied: text("applied", { mode: "json" }).$type<readonly AppliedRules[]>(),
    /** Breakdowns that a backfill writes anew; null for those that are missing alone. */
    dimensions: text("dimensions", { mode: "json" }).$type<readonly DimensionName[]>(),
    /** The zone of the past that it tries out, or has put on its merchant's Days; null of all others. */
    pastZone: text("past_zone", { mode: "json" }).$type<PastZone>(),
  },
  // Questions look for those that were undone (countUndone).
  (table) => [index("replay_jobs_state").on(table.state)],
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
  },
  (table) => [primaryKey({ columns: [table.day, table.partition] }), index("archive_days_due").on(table.dueAt)],
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
    /** UTC ms it was delivered, where that was before the note came; null while it waits. */
    doneAt: integer("done_at"),
  },
  (table) => [primaryKey({ columns: [table.merchant, table.id] })],
);

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
    /** Id of the erasure, or "retention". */
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
export const REPLAY_KINDS = ["verify", "rebuild", "backfill"] as const;
export type ReplayKind = (typeof REPLAY_KINDS)[number];
/** "dated": those that hold for each event. "current": the rules decided last; "draft": rules given with the job. "goals": the goals decided
 *  last and nothing else; "goals_due": the same, started by itself. */
export const REPLAY_RULES = ["dated", "current", "draft", "goals", "goals_due"] as const;
export type ReplayRules = (typeof REPLAY_RULES)[number];
export type AppliedRules = readonly [scope: number, version: number];
/** One number of a merchant in one part, as it is shown and as it was counted again. */
export type PartTotal = readonly [merchant: number, what: string, before: number, after: number];
export type ReplayState = "running" | "paused" | "cancelled" | "done" | "undoing" | "undone";
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

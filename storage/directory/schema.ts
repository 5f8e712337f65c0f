// The directory's D1 schema: merchants, their streams, keys, members and share links, the log of what was administered,
// exchange rates, and the headers of replay jobs. `npm run db:generate` makes the migrations from it. Numbers are in
// the ledgers, and so is everything that changes in one transaction with them (storage/ledger/schema.ts). Backups name
// each table once more (backup.ts).

import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { DimensionName } from "../../core/counting/dimension.ts";
import type { HostnameProof } from "../../core/hostname-proof.ts";
import type { AnnouncedTables, ImportedSpan } from "../../core/imported/table.ts";
import type { CurrencyTimeline, PastZone, SpreadTimeline, ZonePeriod } from "../../core/merchant.ts";
import type { Language } from "../../core/notice/language.ts";
import type { Channel, QuietHours, SubscriptionState, Target, Topic } from "../../core/notice/subscription.ts";
import type { Preferences } from "../../core/preference.ts";
import type { Rules, RuleTimeline } from "../../core/rules.ts";
import type { Severity } from "../../core/watch/alert.ts";
import type { Standing } from "../../core/watch/standing.ts";

/**
 * One row: how many ledgers the deployment has, which never changes, and its epoch, which grows with its history
 * (epoch.ts).
 */
export const deployment = sqliteTable("deployment", {
  id: integer("id").primaryKey(),
  ledgers: integer("ledgers").notNull(),
  epoch: integer("epoch").notNull().default(0),
});

/**
 * The ledgers that were ever opened. By them an empty database in the place of a ledger is noticed (storage/open.ts).
 */
export const claimedLedgers = sqliteTable("claimed_ledgers", {
  /** From 0. */
  position: integer("position").primaryKey(),
  /** The name that the ledger has in its `identity`. */
  name: text("name").notNull(),
  /** Whether the ledger is known to have that name in its `identity`. */
  named: integer("named", { mode: "boolean" }).notNull().default(false),
});

/** One row: the state of the whole deployment when the cron last added it up. */
export const standings = sqliteTable("standings", {
  id: integer("id").primaryKey(),
  standing: text("standing", { mode: "json" }).$type<Standing>().notNull(),
});

/** People who run the deployment, each with a token of their own. Holders of ADMIN_TOKEN are not listed. */
export const operators = sqliteTable("operators", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  scope: text("scope").$type<OperatorScope>().notNull(),
  /** SHA-256 of the token, hex; of one that nobody has, where Cloudflare Access says who it is. */
  hash: text("hash").notNull().unique(),
  /** Its first characters, to tell tokens apart in a list; empty where nobody has it. */
  hint: text("hint").notNull(),
  /** UTC ms. `expiresAt` is null where it never expires. */
  createdAt: integer("created_at").notNull(),
  expiresAt: integer("expires_at"),
  /** Whom Cloudflare Access vouches for: an address of mail, or a group of the identity provider; null for a token. */
  email: text("email"),
  group: text("group_name"),
});

/**
 * "metrics" may read /metrics and /health?deep. "read" may also see the state of all parts, but nothing of a
 * merchant's. "operate" may also mend it. "owner" may do everything, as with ADMIN_TOKEN.
 */
export const OPERATOR_SCOPES = ["metrics", "read", "operate", "owner"] as const;

export type OperatorScope = (typeof OPERATOR_SCOPES)[number];

/** Alerts that were raised. A row is deleted when receivers have been told that the alert has ended. */
export const alerts = sqliteTable("alerts", {
  name: text("name").primaryKey(),
  severity: text("severity").$type<Severity>().notNull(),
  /** A sentence with the numbers. */
  says: text("says").notNull(),
  /** UTC ms at which it was raised, at which it ended, and at which receivers were last told that it lasts. */
  since: integer("since").notNull(),
  until: integer("until"),
  toldAt: integer("told_at"),
});

/** The tenants. The row with number 0 is no merchant: it holds the deployment's own rules (GLOBAL_MERCHANT). */
export const merchants = sqliteTable(
  "merchants",
  {
    /** The number in every tracking ID; 32 bits. */
    number: integer("number").primaryKey({ autoIncrement: true }),
    /** The name of it in the API, which cannot be guessed. */
    id: text("id").notNull().unique(),
    name: text("name").notNull(),
    zones: text("zones", { mode: "json" }).$type<readonly ZonePeriod[]>().notNull(),
    /** The currency that answers are in. */
    currency: text("currency").notNull(),
    rules: text("rules", { mode: "json" }).$type<RuleTimeline>().notNull(),
    /** Grows with every change of settings. */
    version: integer("version").notNull(),
    createdAt: integer("created_at").notNull(),
    /** For how many days events are kept; null where they are kept for ever. */
    retentionDays: integer("retention_days"),
    /** Over how many partitions it is spread, each number with the instant from which it holds. */
    spread: text("spread", { mode: "json" }).$type<SpreadTimeline>().notNull().default([]),
    /** The currency of events that name none, each with the instant from which it holds. */
    currencies: text("currencies", { mode: "json" }).$type<CurrencyTimeline>().notNull().default([]),
    /** Zones that replays have put on past Days. */
    pastZones: text("past_zones", { mode: "json" }).$type<readonly PastZone[]>().notNull().default([]),
    /**
     * Its imports of rollups that count, by number. Written with the imports themselves (imports.ts), so that a
     * question learns of them with its key.
     */
    imported: text("imported", { mode: "json" }).$type<readonly ImportedSpan[]>().notNull().default([]),
  },
  // Every seal looks up who has zones of the past. Without this index that would read every merchant.
  (table) => [index("merchants_moved").on(table.number).where(sql`past_zones <> '[]'`)],
);

/**
 * Whose settings were changed, each with the number of the last change; numbers grow. Triggers write the rows, so that
 * no change of settings can forget it. (The triggers are in the migration, since drizzle has none.) Rows stay when
 * their merchant is deleted.
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
    /** A hostname that the merchant says is its own. Hits and questions may name it once it is proven. */
    hostname: text("hostname"),
    createdAt: integer("created_at").notNull(),
    /** How it was proven; null where it is only said. */
    hostnameProof: text("hostname_proof").$type<HostnameProof>(),
  },
  (table) => [
    primaryKey({ columns: [table.merchant, table.number] }),
    uniqueIndex("streams_said").on(table.merchant, table.hostname),
    // Of any number of merchants that say it, one has proven it.
    uniqueIndex("streams_proven").on(table.hostname).where(sql`hostname_proof IS NOT NULL`),
  ],
);

/** Every version of a scope's rules that was ever decided. They are kept for ever, because timelines name them. */
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
  /** The price of one euro in each currency, as decimal numbers. */
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
  /** UTC ms at which the cron last fetched the deployment's rates; null while it never did. */
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
    /** The hash of the secret before the last rotation. `previousUntil` is when (UTC ms) that one ends. */
    previousHash: text("previous_hash").unique(),
    previousUntil: integer("previous_until"),
  },
  (table) => [index("api_keys_merchant").on(table.merchant)],
);

/**
 * What a key may do. "write" sends events. "read" asks questions and reads settings. "admin" may also change everything
 * of its merchant.
 */
export const SCOPES = ["read", "write", "admin"] as const;

export type Scope = (typeof SCOPES)[number];

/**
 * A person of one merchant, who signs in. The same address at two merchants is two members, because tenants are kept
 * apart. Each has a password that only its own invite sets. Where the passwords are equal, one sign-in opens both
 * shops.
 */
export const members = sqliteTable(
  "members",
  {
    id: text("id").primaryKey(),
    merchant: integer("merchant").notNull(),
    /** In its one spelling (parseEmail). */
    email: text("email").notNull(),
    role: text("role").$type<Role>().notNull(),
    /** A slow hash of the password with its parameters (password.ts); null where Cloudflare Access signs members in. */
    password: text("password"),
    createdAt: integer("created_at").notNull(),
    /** How the person wants the dashboard; null where nothing was chosen. */
    preferences: text("preferences", { mode: "json" }).$type<Preferences>(),
  },
  (table) => [uniqueIndex("members_of").on(table.merchant, table.email), index("members_email").on(table.email)],
);

/**
 * What a member may do. A viewer may look, an admin may also change the merchant's settings, and an owner may also
 * decide who is a member.
 */
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

/** Who is signed in: a row for each shop that the address and password opened. */
export const sessions = sqliteTable(
  "sessions",
  {
    /** SHA-256 of the token in the cookie, in hex. */
    hash: text("hash").notNull(),
    member: text("member").notNull(),
    expiresAt: integer("expires_at").notNull(),
    /** The User-Agent that signed in, cut; empty where it sent none. */
    agent: text("agent").notNull().default(""),
  },
  (table) => [
    primaryKey({ columns: [table.hash, table.member] }),
    index("sessions_member").on(table.member),
    index("sessions_end").on(table.expiresAt),
  ],
);

/** Attempts to sign in. They are counted in the same way for names that exist and names that do not. */
export const signIns = sqliteTable(
  "sign_ins",
  {
    /** SHA-256 of the name and the place of the attempt, in hex. */
    hash: text("hash").primaryKey(),
    attempts: integer("attempts").notNull(),
    /** UTC ms at which counting starts again. */
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
    /** Filters as a question has them. Every question through the link gets them; empty for all numbers. */
    filters: text("filters", { mode: "json" }).$type<readonly unknown[]>().notNull(),
    createdAt: integer("created_at").notNull(),
    /** UTC ms; null for never. */
    expiresAt: integer("expires_at"),
    /** Origins whose pages may show it in a frame; empty for none. */
    embedOrigins: text("embed_origins", { mode: "json" }).$type<readonly string[]>().notNull().default([]),
  },
  (table) => [index("shares_merchant").on(table.merchant)],
);

/** Filters that a merchant saved under a name. Questions and share links can use that name. */
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

/**
 * Addresses of the dashboard that a merchant, or one of its members alone, keeps under a name. The steps of a funnel
 * are part of an address.
 */
export const views = sqliteTable(
  "views",
  {
    id: text("id").primaryKey(),
    merchant: integer("merchant").notNull(),
    name: text("name").notNull(),
    /** Of the page, as its address has it. */
    page: text("page").notNull(),
    /** The query part of the address. */
    search: text("search").notNull(),
    createdAt: integer("created_at").notNull(),
    /** The member whose own it is; empty of what is the merchant's. */
    owner: text("owner").notNull().default(""),
  },
  (table) => [uniqueIndex("views_of").on(table.merchant, table.owner, table.name)],
);

/** What happened on a Day, in the words of whoever noted it. */
export const notes = sqliteTable(
  "notes",
  {
    id: text("id").primaryKey(),
    merchant: integer("merchant").notNull(),
    /** The number of the Day. */
    day: integer("day").notNull(),
    text: text("text").notNull(),
    /** The member's address; null where a key or the deployment wrote it. */
    author: text("author"),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [index("notes_of").on(table.merchant, table.day)],
);

/** What merchants asked to be told, and where (core/notice/subscription.ts). */
export const subscriptions = sqliteTable(
  "subscriptions",
  {
    id: text("id").primaryKey(),
    merchant: integer("merchant").notNull(),
    channel: text("channel").$type<Channel>().notNull(),
    /** The address of mail, or the URL. */
    target: text("target").notNull(),
    topics: text("topics", { mode: "json" }).$type<readonly Topic[]>().notNull(),
    language: text("language").$type<Language>().notNull(),
    quiet: text("quiet", { mode: "json" }).$type<QuietHours>(),
    goal: text("goal", { mode: "json" }).$type<Target>(),
    state: text("state").$type<SubscriptionState>().notNull(),
    /** Why it is off; empty while it is not. */
    reason: text("reason").notNull(),
    /** What signs a webhook, and what signed it before until `previousUntil` (UTC ms); null for other channels. */
    secret: text("secret"),
    previousSecret: text("previous_secret"),
    previousUntil: integer("previous_until"),
    /** UTC ms until which nothing is sent; null where it was never paused. */
    pausedUntil: integer("paused_until"),
    createdAt: integer("created_at").notNull(),
    /** UTC ms at which the next report is due, and the next look at its alarms; null where it has none. */
    reportAt: integer("report_at"),
    lookAt: integer("look_at"),
  },
  (table) => [
    uniqueIndex("subscriptions_of").on(table.merchant, table.channel, table.target),
    index("subscriptions_report").on(table.reportAt),
    index("subscriptions_look").on(table.lookAt),
  ],
);

/**
 * Files that a merchant imported, each under a number that is given once (number-claim.ts). Whether an import was
 * undone is told by the replay jobs that did it.
 */
export const imports = sqliteTable(
  "imports",
  {
    merchant: integer("merchant").notNull(),
    number: integer("number").notNull(),
    /** Such as the file's name. */
    name: text("name").notNull(),
    /** The format that it was read as, such as "csv", "log" or "shopify". */
    source: text("source").notNull(),
    /** Digest of the whole file. */
    digest: text("digest").notNull(),
    /** A digest of its beginning, which stays the same when the file has grown. */
    head: text("head").notNull(),
    /** A digest of the options that decide how a row is read. */
    reading: text("reading").notNull(),
    /**
     * A suffix of the ids of its events. It is not empty where the same rows were imported and undone before, so that
     * they may be imported again.
     */
    idSuffix: text("id_suffix").notNull(),
    /** How many events each Day has, by the number of the Day. */
    days: text("days", { mode: "json" }).$type<Readonly<Record<string, number>>>().notNull(),
    /** The first and the last of them, and all their events: a list of imports leaves out `days`, 36 KB at most. */
    firstDay: integer("first_day").notNull(),
    lastDay: integer("last_day").notNull(),
    events: integer("events").notNull(),
    state: text("state").$type<ImportState>().notNull(),
    /** The place in the file from which to go on. */
    place: text("place", { mode: "json" }).$type<ImportPlace>(),
    /** How many of its rows were stored, refused and so on, so far. */
    tally: text("tally", { mode: "json" }).$type<Readonly<Record<string, number>>>().notNull(),
    createdAt: integer("created_at").notNull(),
    /** UTC ms; null while it goes on. */
    finishedAt: integer("finished_at"),
    /** Of an import of rollups: its tables. Null of one of events. */
    tables: text("tables", { mode: "json" }).$type<AnnouncedTables>(),
    /** Of an import of rollups: whether it was taken back. One of events is taken back by replays. */
    undone: integer("undone", { mode: "boolean" }).notNull().default(false),
  },
  (table) => [primaryKey({ columns: [table.merchant, table.number] })],
);

/** The states of an import, as its sender reports them. */
export const IMPORT_STATES = ["running", "paused", "done"] as const;

export type ImportState = (typeof IMPORT_STATES)[number];

/**
 * A place in a file: the number of rows before it, and a digest of these. Of an import of rollups: the table that is
 * being sent, and how many of its rows are stored.
 */
export type ImportPlace =
  | { readonly line: number; readonly chain: string }
  | { readonly table: string; readonly offset: number };

/** Administrative acts. Each is noted before it is done, and completed afterwards. */
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

/** "unknown" until the act has succeeded. An act that was refused leaves no entry. */
export type AuditOutcome = "unknown" | "done";

/** The header of a replay job over a range of Days. Its parts are in the ledgers and hold its progress. */
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
    /** The rules that its Days are counted by. */
    rules: text("rules").$type<ReplayRules>().notNull().default("dated"),
    /** The rules of a job that tries out a draft; null for all other jobs. */
    draft: text("draft", { mode: "json" }).$type<Rules>(),
    /**
     * The scopes on whose timelines it put a period, each with the version of the rules; null where it put none. An
     * undo removes these periods.
     */
    applied: text("applied", { mode: "json" }).$type<readonly AppliedRules[]>(),
    /** The breakdowns that a backfill writes again; null where it only writes those that are missing. */
    dimensions: text("dimensions", { mode: "json" }).$type<readonly DimensionName[]>(),
    /** The zone of the past that it tries out, or has put on its merchant's Days; null for all other jobs. */
    pastZone: text("past_zone", { mode: "json" }).$type<PastZone>(),
    /** The import that no longer counts on its Days; null for all other jobs. */
    importNumber: integer("import"),
    /** Which ledgers have parts of it, by position. */
    ledgers: text("ledgers", { mode: "json" }).$type<readonly number[]>().notNull().default([]),
    /** Grows with every change of state. A ledger's fence has the same number when it knows that state. */
    epoch: integer("epoch").notNull().default(0),
    /** The epoch that all of its ledgers are known to have. */
    fenced: integer("fenced").notNull().default(0),
    /** Whether its parts, and what they kept, were deleted. */
    pruned: integer("pruned", { mode: "boolean" }).notNull().default(false),
  },
  (table) => [
    index("replay_jobs_state").on(table.state),
    index("replay_jobs_unfenced").on(table.id).where(sql`fenced < epoch`),
  ],
);

/** Rows that were made, changed or deleted, until they are logged in R2 (change-log.ts). Triggers write it. */
export const rowChanges = sqliteTable("row_changes", {
  id: integer("id").primaryKey({ autoIncrement: true }),
  /** UTC ms. */
  at: integer("at").notNull(),
  tableName: text("table_name").notNull(),
  /** 1 where the row was deleted. */
  gone: integer("gone").notNull(),
  /** JSON of an array: its values in the order of the columns. */
  row: text("row").notNull(),
});

export const REPLAY_KINDS = ["verify", "rebuild", "backfill"] as const;

export type ReplayKind = (typeof REPLAY_KINDS)[number];

/**
 * "dated": the rules that hold for each event. "current": the rules decided last. "draft": rules given with the job.
 * "goals": only the goals decided last. "goals_due": the same, in a job that started by itself. "without_import": the
 * rules that hold, without the events of an import.
 */
export const REPLAY_RULES = ["dated", "current", "draft", "goals", "goals_due", "without_import"] as const;

export type ReplayRules = (typeof REPLAY_RULES)[number];

export type AppliedRules = readonly [scope: number, version: number];

/**
 * "starting": its parts are being written to the ledgers, and nothing is counted yet. "abandoned": the start was never
 * finished.
 */
export type ReplayState = "starting" | "abandoned" | "running" | "paused" | "cancelled" | "done" | "undoing" | "undone";

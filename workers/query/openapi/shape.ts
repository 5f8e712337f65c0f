// The shapes of the API's answers as JSON Schema. A shape that several operations answer with has a name. Shapes are
// strict: an answer has only listed properties, and lacks only those that are marked as optional. A test compares real
// answers with them (test/e2e/openapi.test.ts).

import { DIMENSIONS } from "../../../core/counting/dimension.ts";
import { HOSTNAME_PROOFS } from "../../../core/hostname-proof.ts";
import { COUNTED } from "../../../core/meter.ts";
import { ALARM_KINDS } from "../../../core/notice/alarm.ts";
import { LANGUAGES } from "../../../core/notice/language.ts";
import { CHANNELS, TARGET_METRICS, TOPICS } from "../../../core/notice/subscription.ts";
import { THEMES } from "../../../core/preference.ts";
import type { Schema } from "../../../core/type-text.ts";
import { ALERT_RULES } from "../../../core/watch/alert.ts";
import { IMPORT_STATES, OPERATOR_SCOPES, REPLAY_RULES, ROLES, SCOPES } from "../../../storage/directory/schema.ts";
import { PROBLEM_STATUS } from "../problem.ts";

const TEXT: Schema = { type: "string" };
const COUNT: Schema = { type: "integer", minimum: 0 };
const NUMBER: Schema = { type: "number" };
const YES: Schema = { const: true };
const FLAG: Schema = { type: "boolean" };
const INSTANT: Schema = { type: "string", format: "date-time" };
const DATE: Schema = { type: "string", format: "date" };
/** The first and the last date. */
export const DATES: Schema = { type: "array", prefixItems: [DATE, DATE], items: false, minItems: 2 };
const ANY_OBJECT: Schema = { type: "object" };
/** A value of a rollup that a replay compares: a number or a text. */
const VALUE: Schema = { type: ["string", "number"] };

type Properties = Readonly<Record<string, Schema>>;

/** The shape of an object. Properties whose names end in "?" may be absent. */
export function object(properties: Properties): Schema {
  const entries = Object.entries(properties);
  return {
    type: "object",
    properties: Object.fromEntries(entries.map(([name, schema]) => [name.replace("?", ""), schema])),
    required: entries.map(([name]) => name).filter((name) => !name.endsWith("?")),
    additionalProperties: false,
  };
}

export function list(items: Schema): Schema {
  return { type: "array", items };
}

export function nullable(schema: Schema): Schema {
  return "$ref" in schema || "enum" in schema
    ? { anyOf: [schema, { type: "null" }] }
    : { ...schema, type: [schema["type"], "null"] };
}

function oneOf(texts: readonly string[]): Schema {
  return { type: "string", enum: texts };
}

/** A reference to a named schema. */
export function named(name: keyof typeof SHAPES): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

/** A page of a list. `next` is the "after" of the next page, and null at the end. */
export function page(name: string, items: Schema): Schema {
  return object({ [name]: list(items), next: nullable(TEXT) });
}

/** How many events were received, and how many of them were counted or dropped. */
const RECEIVED = {
  received: COUNT,
  counted: COUNT,
  outside_visits: COUNT,
  dropped: { type: "object", additionalProperties: COUNT } as Schema,
};
/** The most frequent names of what was left out. */
const LEFT_OUT = object({ named: list(object({ name: TEXT, "label?": TEXT, events: COUNT })), others: COUNT });
const PLACE = { date: DATE, partition: TEXT };

const MERCHANT = {
  id: TEXT,
  name: TEXT,
  time_zone: TEXT,
  currency: TEXT,
  retention_days: nullable(COUNT),
  created_at: INSTANT,
};

const KEY = {
  id: TEXT,
  name: TEXT,
  scope: oneOf(SCOPES),
  hint: TEXT,
  created_at: nullable(INSTANT),
  expires_at: nullable(INSTANT),
  last_used_at: nullable(INSTANT),
  previous_secret_until: nullable(INSTANT),
};

const MEMBER = { id: TEXT, email: TEXT, role: oneOf(ROLES), created_at: INSTANT };
const OPERATOR: Properties = {
  id: TEXT,
  name: TEXT,
  scope: oneOf(OPERATOR_SCOPES),
  hint: TEXT,
  created_at: INSTANT,
  expires_at: nullable(INSTANT),
  email: nullable(TEXT),
  group: nullable(TEXT),
};

const INVITE = { ...MEMBER, expires_at: INSTANT };
/** The member of a session. */
const SIGNED_IN = object({
  kind: { const: "member" },
  member: TEXT,
  email: TEXT,
  role: oneOf(ROLES),
  merchant: object({ id: TEXT, name: TEXT }),
});
const SUBSCRIPTION = {
  id: TEXT,
  channel: oneOf(CHANNELS),
  target: TEXT,
  topics: list(oneOf(TOPICS)),
  language: oneOf(LANGUAGES),
  quiet: nullable(object({ from: TEXT, to: TEXT })),
  goal: nullable(
    object({
      metric: oneOf(TARGET_METRICS),
      value: { type: "number" },
      period: oneOf(["day", "week", "month"]),
      goal: nullable(TEXT),
    }),
  ),
  state: oneOf(["on", "unconfirmed", "off"]),
  reason: { ...TEXT, description: "Why it is off." },
  paused_until: { ...nullable(INSTANT), description: "Nothing is sent until then." },
  created_at: INSTANT,
  next_report_at: nullable(INSTANT),
};
const SHARE = {
  id: TEXT,
  name: TEXT,
  hint: TEXT,
  filters: list({}),
  created_at: INSTANT,
  expires_at: nullable(INSTANT),
  embed_origins: list(TEXT),
};

const ERASURE = {
  id: TEXT,
  kind: oneOf(["visitor", "days", "merchant"]),
  state: oneOf(["running", "done"]),
  visitor: nullable(TEXT),
  from: nullable(DATE),
  to: nullable(DATE),
  created_at: INSTANT,
  finished_at: nullable(INSTANT),
};

const RULE_VERSION = { version: COUNT, note: TEXT, created_at: INSTANT };

const REPLAY = {
  id: TEXT,
  kind: oneOf(["verify", "rebuild", "backfill"]),
  rules: oneOf(REPLAY_RULES),
  dimensions: nullable(list(oneOf(DIMENSIONS.map(({ name }) => name)))),
  time_zone: nullable(TEXT),
  state: oneOf(["running", "paused", "cancelled", "done", "undoing", "undone"]),
  from: DATE,
  to: DATE,
  merchants: nullable(list({ type: ["string", "integer"] })),
  created_at: INSTANT,
  finished_at: nullable(INSTANT),
};

const MERCHANT_NAMED: Schema = { type: ["string", "integer"], description: "Its id; its number where it is gone." };

const SEALED_DAY = {
  state: oneOf(["closed", "sealed", "late", "in_doubt"]),
  generation: COUNT,
  folder: TEXT,
  rows: COUNT,
  merchants: COUNT,
  bytes: COUNT,
  duplicates: COUNT,
  differences: COUNT,
  sealed_at: nullable(INSTANT),
  late_since: nullable(INSTANT),
  attempts: COUNT,
  error: TEXT,
  lost_merchants: COUNT,
};

const OWN_RATE = {
  currency: TEXT,
  in: TEXT,
  rate: { ...TEXT, description: 'A decimal number, or "deployment".' },
  from: DATE,
};

const CHOICE = (items: Schema) => object({ drop: list(items), admit: list(items) });

/** Every named schema. */
export const SHAPES = {
  Problem: object({
    error: object({
      code: oneOf(Object.keys(PROBLEM_STATUS)),
      message: { ...TEXT, description: "What is wrong, and what to send instead." },
      "field?": { ...TEXT, description: "The field or parameter that is wrong." },
    }),
  }),
  Merchant: object({
    ...MERCHANT,
    "currencies?": list(object({ currency: TEXT, from: nullable(INSTANT) })),
    "coming_time_zones?": list(object({ time_zone: TEXT, from: INSTANT })),
    "past_time_zones?": list(object({ time_zone: TEXT, from: INSTANT, to: INSTANT })),
  }),
  NewMerchant: object({ id: TEXT, name: TEXT, time_zone: TEXT, currency: TEXT, tracking_id: TEXT, api_key: TEXT }),
  Spread: object({ partitions: COUNT, timeline: list(object({ from: INSTANT, partitions: COUNT })) }),
  Stream: object({
    number: COUNT,
    name: TEXT,
    hostname: nullable(TEXT),
    hostname_proof: {
      ...nullable(oneOf(HOSTNAME_PROOFS)),
      description: "How the hostname is known to be the merchant's. Null: it is only said, and nothing looks it up.",
    },
    proof_record: {
      ...nullable(object({ name: TEXT, type: { const: "TXT" }, text: TEXT })),
      description: "The record of DNS that proves the hostname. Null where there is nothing to prove.",
    },
    tracking_id: TEXT,
    created_at: INSTANT,
  }),
  Key: object(KEY),
  KeyWithSecret: object({ ...KEY, api_key: { ...TEXT, description: "Shown this once." } }),
  Member: object(MEMBER),
  Invite: object(INVITE),
  InviteWithToken: object({ ...INVITE, token: { ...TEXT, description: "Shown this once." } }),
  Share: object(SHARE),
  ShareWithToken: object({ ...SHARE, token: { ...TEXT, description: "Shown this once." } }),
  Subscription: object(SUBSCRIPTION),
  SubscriptionWithSecret: object({
    ...SUBSCRIPTION,
    "secret?": { ...TEXT, description: "Of a webhook; shown this once." },
    "previous_until?": INSTANT,
  }),
  SubscriptionWithDeliveries: object({
    ...SUBSCRIPTION,
    deliveries: list(
      object({
        id: TEXT,
        state: oneOf(["waiting", "sent", "failed", "dropped"]),
        created_at: INSTANT,
        next_at: nullable(INSTANT),
        ended_at: nullable(INSTANT),
        attempts: COUNT,
        error: TEXT,
      }),
    ),
  }),
  NoticePreview: object({
    channel: oneOf(CHANNELS),
    "subject?": TEXT,
    "text?": TEXT,
    "html?": TEXT,
    "body?": ANY_OBJECT,
  }),
  AlarmPreview: object({
    from: DATE,
    to: DATE,
    as_of: INSTANT,
    alarms: list(
      object({
        kind: oneOf(ALARM_KINDS),
        topic: oneOf(TOPICS),
        since: TEXT,
        until: { ...nullable(TEXT), description: "When it went off; null where it is still on." },
        subject: TEXT,
        says: { ...TEXT, description: "The sentence of its message, with the numbers it was made from." },
        finding: { ...ANY_OBJECT, description: "The same numbers." },
      }),
    ),
  }),
  Written: object({ id: TEXT }),
  Segment: object({ id: TEXT, name: TEXT, filters: list({}), created_at: INSTANT, updated_at: INSTANT }),
  View: object({
    id: TEXT,
    name: TEXT,
    page: TEXT,
    search: TEXT,
    own: { ...FLAG, description: "Whether it is nobody's but the asking member's." },
    created_at: INSTANT,
  }),
  Note: object({ id: TEXT, date: DATE, text: TEXT, author: nullable(TEXT), created_at: INSTANT }),
  OpenSession: object({
    id: TEXT,
    current: FLAG,
    browser: TEXT,
    os: TEXT,
    created_at: INSTANT,
    expires_at: INSTANT,
  }),
  Preferences: object({
    language: nullable(oneOf(LANGUAGES)),
    theme: nullable(oneOf(THEMES)),
    start_page: nullable(TEXT),
    region: nullable(TEXT),
  }),
  SessionsEnded: object({ ended: COUNT }),
  SessionEnded: object({ id: TEXT, signed_out: YES }),
  Import: object({
    number: COUNT,
    name: TEXT,
    source: TEXT,
    kind: oneOf(["events", "rollups"]),
    state: oneOf([...IMPORT_STATES, "undoing", "undone", "redoing"]),
    from: DATE,
    to: DATE,
    events: { ...COUNT, description: "Its events; of rollups their rows." },
    tally: { type: "object", additionalProperties: COUNT },
    id_suffix: { ...TEXT, description: "What ends the ids of its events." },
    place: { anyOf: [object({ line: COUNT, chain: TEXT }), object({ table: TEXT, offset: COUNT }), { type: "null" }] },
    tables: nullable({
      type: "object",
      additionalProperties: object({ rows: COUNT, counters: list(TEXT) }),
      description: "Of rollups: the rows of each, and the counters that they know.",
    }),
    replays: list({ ...TEXT, description: "Replays that undo it." }),
    created_at: INSTANT,
    finished_at: nullable(INSTANT),
    "days?": list(object({ date: DATE, events: COUNT })),
    "days_left_out?": {
      ...object({ counted: { anyOf: [list(DATES), { type: "null" }] }, imported: list(DATES) }),
      description: "Of rollups: Days that are counted here (null: not known now), or that an earlier import has.",
    },
  }),
  Shared: object({ id: TEXT, name: TEXT, site_id: TEXT, time_zone: TEXT, currency: TEXT, filters: list({}) }),
  Shops: object({
    email: TEXT,
    shops: list(object({ id: TEXT, name: TEXT, time_zone: TEXT, currency: TEXT, role: oneOf(ROLES) })),
  }),
  Session: {
    oneOf: [
      object({ kind: { const: "deployment" }, operator: nullable(TEXT), scope: oneOf(OPERATOR_SCOPES) }),
      object({ kind: { const: "key" }, key: TEXT, scope: oneOf(SCOPES), merchant: object({ id: TEXT, name: TEXT }) }),
      SIGNED_IN,
    ],
  },
  Accepted: {
    oneOf: [SIGNED_IN, object({ member: TEXT, email: TEXT, role: oneOf(ROLES) })],
  },
  SignedOut: object({ signed_out: YES }),
  Changed: object({ changed: YES }),
  Revoked: object({ id: TEXT, revoked: YES }),
  Removed: object({ id: TEXT, removed: YES }),
  Deleted: object({ id: TEXT, deleted: YES }),
  Rules: object({
    bots: CHOICE(TEXT),
    referrers: CHOICE(TEXT),
    returns: CHOICE(TEXT),
    addresses: list(object({ name: TEXT, networks: list(TEXT) })),
    asns: CHOICE(COUNT),
    hostnames: list(TEXT),
    paths: object({ strip_ids: FLAG, keep_query: list(TEXT), replace: list(object({ match: TEXT, page: TEXT })) }),
    channels: list(object({ channel: TEXT, "source?": TEXT, "medium?": TEXT, "campaign?": TEXT, "referrer?": TEXT })),
    goals: list(object({ name: TEXT, "event?": TEXT, "page?": TEXT })),
    orders: object({ keyed_only: FLAG }),
  }),
  RuleTimeline: object({
    version: COUNT,
    applies_from: nullable(INSTANT),
    rules: { $ref: "#/components/schemas/Rules" },
    timeline: list({
      oneOf: [
        object({ version: COUNT, from: INSTANT }),
        object({ version: COUNT, from_date: DATE, to_date: DATE, "goals_only?": YES }),
        object({ from_date: DATE, to_date: DATE, without_import: COUNT }),
      ],
    }),
    "warnings?": list(TEXT),
  }),
  RuleVersion: object({ ...RULE_VERSION, rules: { $ref: "#/components/schemas/Rules" } }),
  RuleVersionSummary: object(RULE_VERSION),
  RatesImported: object({ added: COUNT, changed: COUNT, unchanged: COUNT }),
  PublishedRates: object({
    rates: list(object({ date: DATE, per_euro: { type: "object", additionalProperties: TEXT } })),
    next: nullable(TEXT),
    fetched_at: nullable(INSTANT),
  }),
  OwnRate: object(OWN_RATE),
  OwnRatesChanged: object({
    changed: COUNT,
    unchanged: COUNT,
    preview: FLAG,
    before: list(object({ ...OWN_RATE, rate: nullable(OWN_RATE.rate) })),
  }),
  Erasure: object(ERASURE),
  ErasureReceipt: object({
    ...ERASURE,
    parts: object({ all: COUNT, done: COUNT }),
    rows_removed: COUNT,
    removed: list(
      object({ ...PLACE, at: INSTANT, rows_before: COUNT, rows_after: COUNT, replaced_files: TEXT, new_files: TEXT }),
    ),
  }),
  AuditEntry: object({
    id: TEXT,
    at: INSTANT,
    actor: TEXT,
    act: TEXT,
    target: nullable(TEXT),
    outcome: oneOf(["unknown", "done"]),
    details: ANY_OBJECT,
    merchant: nullable(TEXT),
  }),
  Meter: object(Object.fromEntries(COUNTED.map((name) => [name, COUNT]))),
  Partition: object({
    partition: TEXT,
    next_position: COUNT,
    checkpoint_position: COUNT,
    bundled_position: COUNT,
    unconfirmed_bundles: COUNT,
    archived_position: COUNT,
    unarchived_since: nullable(INSTANT),
    failing: list(TEXT),
    unpublished_rollups: COUNT,
    held_bytes: COUNT,
    merchants: COUNT,
    slowed_at: nullable(INSTANT),
    hot_at: nullable(INSTANT),
  }),
  Operators: object({ operators: list(object(OPERATOR)) }),
  OperatorWithToken: object({
    ...OPERATOR,
    "token?": { ...TEXT, description: "Shown this once. There is none where Cloudflare Access says who it is." },
  }),
  Alerts: object({
    checked_at: nullable(INSTANT),
    alerts: list(
      object({
        name: oneOf(ALERT_RULES.map(({ name }) => name)),
        severity: oneOf(["page", "ticket"]),
        says: TEXT,
        since: INSTANT,
        until: nullable(INSTANT),
        told_at: nullable(INSTANT),
      }),
    ),
  }),
  Incident: object({
    id: TEXT,
    title: TEXT,
    state: oneOf(["open", "closed"]),
    opened_at: INSTANT,
    closed_at: nullable(INSTANT),
    updates: list(object({ at: INSTANT, text: TEXT })),
  }),
  Cost: object({
    as_of: nullable(INSTANT),
    lines: list(
      object({
        line: TEXT,
        count: { type: "number" },
        usd: { type: "number" },
        basis: oneOf(["counted", "estimated"]),
      }),
    ),
    total_usd: { type: "number" },
  }),
  DeadLetter: object({ key: TEXT, queue: TEXT, message: TEXT, stored_at: INSTANT, bytes: COUNT }),
  Redriven: object({ key: TEXT, outcome: oneOf(["done", "failed"]), "reason?": TEXT }),
  ArchiveDay: { oneOf: [object({ ...PLACE, ...SEALED_DAY }), object({ ...PLACE, state: { const: "open" } })] },
  Proof: object({
    as_of: INSTANT,
    rules: COUNT,
    adds_up: FLAG,
    differences: COUNT,
    ...RECEIVED,
    left_out: {
      type: "object",
      description: "By reason: which agents, networks, pages and referrers the events had. Each list adds up.",
      additionalProperties: object({
        agents: LEFT_OUT,
        networks: LEFT_OUT,
        pages: LEFT_OUT,
        referrers: LEFT_OUT,
      }),
    },
    days: list(
      object({
        date: DATE,
        state: { type: "string", enum: ["open", "closed", "sealed", "late", "in_doubt"] },
        ...RECEIVED,
        adds_up: FLAG,
        compared: { ...FLAG, description: "False where events came while it was counted." },
        differences: list(object({ what: TEXT, said: COUNT, recounted: COUNT })),
        seals: list(
          object({
            sealed_at: nullable(INSTANT),
            generation: COUNT,
            manifest: TEXT,
            rows: COUNT,
            checksum: nullable(TEXT),
            settings: nullable(COUNT),
          }),
        ),
      }),
    ),
  }),
  Sealing: object({ found: COUNT, sent: COUNT }),
  Diagnosis: object({
    whole: FLAG,
    findings: list(object({ state: TEXT, whole: FLAG, says: TEXT, command: nullable(TEXT) })),
  }),
  Backup: object({ backup: TEXT, at: INSTANT }),
  NewBackup: object({ backup: TEXT, at: INSTANT, rows: COUNT, bytes: COUNT }),
  DirectoryRecovery: object({
    backup: nullable(TEXT),
    at: nullable(INSTANT),
    rows: COUNT,
    changes: COUNT,
    revoked: COUNT,
    merchants_unknown: COUNT,
  }),
  LedgerRecovery: object({
    ledger: COUNT,
    new: FLAG,
    days: COUNT,
    erasures: COUNT,
    next: nullable(DATE),
    imported_parts: COUNT,
    imports_next: nullable(TEXT),
  }),
  PartitionRecovery: object({
    partition: TEXT,
    counted: COUNT,
    next: nullable(TEXT),
    "kept?": COUNT,
    "archived_position?": COUNT,
    "archived_at?": nullable(INSTANT),
    "known_position?": COUNT,
    "first_position?": COUNT,
  }),
  ErasureRecovery: object({ erasures: COUNT }),
  BucketObject: object({
    key: TEXT,
    bytes: COUNT,
    etag: TEXT,
    uploaded_at: INSTANT,
    metadata: { type: "object", additionalProperties: TEXT },
  }),
  BucketPut: object({ key: TEXT, put: FLAG }),
  BucketRecovery: object({
    claims: COUNT,
    records: COUNT,
    imports: COUNT,
    days: COUNT,
    doubted: COUNT,
    cleaned: COUNT,
    months: COUNT,
    next: nullable(TEXT),
  }),
  ArchiveFiles: object({
    ...PLACE,
    generation: COUNT,
    manifest: nullable(TEXT),
    sealed: list(object({ key: TEXT, bytes: COUNT, rows: COUNT })),
    bundles: list(object({ key: TEXT, bytes: COUNT })),
  }),
  Replay: object(REPLAY),
  ReplayProgress: object({
    ...REPLAY,
    parts: object({ all: COUNT, done: COUNT, failed: COUNT, undone: COUNT }),
    events: COUNT,
    events_per_second: COUNT,
    buckets: COUNT,
    differences: COUNT,
    in_doubt: COUNT,
    unpublished: COUNT,
    replaced: COUNT,
    totals: list(
      object({ merchant: MERCHANT_NAMED, numbers: list(object({ what: TEXT, before: NUMBER, after: NUMBER })) }),
    ),
    first_differences: list(
      object({
        ...PLACE,
        merchant: MERCHANT_NAMED,
        grain: oneOf(["hour", "day"]),
        bucket: TEXT,
        in_doubt: FLAG,
        mismatches: list(object({ what: TEXT, held: VALUE, replayed: VALUE })),
      }),
    ),
    failed_parts: list(object({ ...PLACE, state: TEXT, error: TEXT })),
  }),
} as const satisfies Readonly<Record<string, Schema>>;

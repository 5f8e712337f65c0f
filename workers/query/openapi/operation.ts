// What each route of the API takes and answers: one entry for each, beside the routes (app.ts), by method and path. The
// tables of fields are the handlers' own, so what is documented is what is checked; a test finds a route without an
// entry.

import type { Schema } from "../../../core/type-text.ts";
import { DAYS, DAYS_PAGE, FILES } from "../archive-days.ts";
import { AUDIT_PAGE } from "../audit.ts";
import { ERASURE_PAGE, NEW_ERASURE } from "../erasures.ts";
import { EVENTS } from "../events.ts";
import type { FieldTable } from "../field.ts";
import { IMPORT_CHANGE, IMPORT_PAGE, NEW_IMPORT } from "../imports.ts";
import { KEY_PAGE, NEW_KEY, ROTATION } from "../keys.ts";
import { MEMBER_CHANGE, NEW_INVITE } from "../members.ts";
import { MERCHANT_CHANGE, MERCHANT_PAGE, NEW_MERCHANT } from "../merchants.ts";
import { DEAD_LETTER_PAGE, PARTITION_PAGE, REDRIVE } from "../operations.ts";
import { NEW_OPERATOR } from "../operators.ts";
import { PROOF } from "../proof.ts";
import { OWN_RATES_CHANGE, OWN_RATES_PAGE, RATES_IMPORT, RATES_PAGE } from "../rates.ts";
import { DIRECTORY_RECOVERY, LEDGER_RECOVERY } from "../recovery.ts";
import { NEW_REPLAY } from "../replays.ts";
import { RULES_CHANGE, VERSION_PAGE } from "../rules.ts";
import { CHANGED_SEGMENT, NEW_SEGMENT } from "../segments.ts";
import { ACCEPTANCE, PASSWORD_CHANGE, SIGN_IN } from "../sessions.ts";
import { NEW_SHARE } from "../shares.ts";
import { NEW_SPREAD } from "../spread.ts";
import { NEW_STREAM, STREAM_PAGE } from "../streams.ts";
import { named, page } from "./shape.ts";

export interface Operation {
  /** What generated clients call it. */
  readonly id: string;
  readonly summary: string;
  /** The parameters of its query string; none is none. */
  readonly query?: FieldTable;
  /** The fields of its body; absent where it takes none. */
  readonly body?: FieldTable;
  /** Of success; 200 unless said. */
  readonly status?: 201 | 202;
  /** What it answers then; a file where there is none. */
  readonly answer?: Schema;
}

const STOP = "It takes effect at once.";

const replayVerb = (verb: string, summary: string): readonly [string, Operation] => [
  `POST /api/v1/replays/:id/${verb}`,
  { id: `${verb}Replay`, summary, answer: named("ReplayProgress") },
];

/** Merchants' own rules, and those of the deployment for all. */
function ruleOperations(path: string, whose: string): readonly (readonly [string, Operation])[] {
  const name = whose === "the merchant" ? "Rules" : "GlobalRules";
  return [
    [`GET ${path}`, { id: `get${name}`, summary: `The rules of ${whose}.`, answer: named("RuleTimeline") }],
    [
      `PUT ${path}`,
      {
        id: `put${name}`,
        summary: `Changes the rules of ${whose}, from an instant ahead on.`,
        body: RULES_CHANGE,
        answer: named("RuleTimeline"),
      },
    ],
    [
      `GET ${path}/versions`,
      {
        id: `list${name.replace("Rules", "RuleVersions")}`,
        summary: "What was decided, the newest first.",
        query: VERSION_PAGE,
        answer: page("versions", named("RuleVersionSummary")),
      },
    ],
    [
      `GET ${path}/versions/:version`,
      { id: `get${name.replace("Rules", "RuleVersion")}`, summary: "One of them.", answer: named("RuleVersion") },
    ],
  ];
}

const MERCHANT = "/api/v1/merchants/:id";

const ENTRIES: readonly (readonly [route: string, operation: Operation])[] = [
  [
    "POST /api/v1/merchants",
    {
      id: "createMerchant",
      summary: "Makes a merchant with its first stream and its first key, of scope read.",
      body: NEW_MERCHANT,
      status: 201,
      answer: named("NewMerchant"),
    },
  ],
  [
    "GET /api/v1/merchants",
    {
      id: "listMerchants",
      summary: "All merchants.",
      query: MERCHANT_PAGE,
      answer: page("merchants", named("Merchant")),
    },
  ],
  [`GET ${MERCHANT}`, { id: "getMerchant", summary: "A merchant.", answer: named("Merchant") }],
  [
    `PATCH ${MERCHANT}`,
    { id: "changeMerchant", summary: "Changes what is sent.", body: MERCHANT_CHANGE, answer: named("Merchant") },
  ],
  [
    `POST ${MERCHANT}/spread`,
    {
      id: "spreadMerchant",
      summary:
        "Has a hot merchant's events counted by so many partitions of its own, from its next Day on; 0 for the pool.",
      body: NEW_SPREAD,
      answer: named("Spread"),
    },
  ],
  [
    `GET ${MERCHANT}/spread`,
    {
      id: "getSpread",
      summary: "Over how many partitions a merchant is spread, and from when.",
      answer: named("Spread"),
    },
  ],
  [
    `DELETE ${MERCHANT}`,
    {
      id: "eraseMerchant",
      summary: "Ends a merchant and erases all that is kept of it.",
      status: 202,
      answer: named("ErasureReceipt"),
    },
  ],
  [
    `GET ${MERCHANT}/proof`,
    {
      id: "getProof",
      summary: "What proves the numbers of some Days: their events counted once more, and the seals that hold them.",
      query: PROOF,
      answer: named("Proof"),
    },
  ],
  [`GET ${MERCHANT}/events`, { id: "exportEvents", summary: "Raw events of some Days, as a file.", query: EVENTS }],
  ...ruleOperations(`${MERCHANT}/rules`, "the merchant"),
  ...ruleOperations("/api/v1/rules", "the deployment"),
  [
    "POST /api/v1/rates",
    {
      id: "importRates",
      summary: "Adds exchange rates of the deployment, or corrects them; null takes one away.",
      body: RATES_IMPORT,
      answer: named("RatesImported"),
    },
  ],
  [
    "GET /api/v1/rates",
    {
      id: "listRates",
      summary: "The deployment's exchange rates, the newest Day first.",
      query: RATES_PAGE,
      answer: named("PublishedRates"),
    },
  ],
  [
    `POST ${MERCHANT}/rates`,
    {
      id: "changeOwnRates",
      summary: "Decides exchange rates of the merchant's own; sending what stood before takes it back.",
      body: OWN_RATES_CHANGE,
      answer: named("OwnRatesChanged"),
    },
  ],
  [
    `GET ${MERCHANT}/rates`,
    {
      id: "listOwnRates",
      summary: "The merchant's own exchange rates, the newest first.",
      query: OWN_RATES_PAGE,
      answer: page("rates", named("OwnRate")),
    },
  ],
  [
    `POST ${MERCHANT}/erasures`,
    {
      id: "createErasure",
      summary: "Erases a visitor, a range of Days, or a visitor in a range.",
      body: NEW_ERASURE,
      status: 202,
      answer: named("ErasureReceipt"),
    },
  ],
  [
    `GET ${MERCHANT}/erasures`,
    {
      id: "listErasures",
      summary: "Erasures of the merchant, the newest first.",
      query: ERASURE_PAGE,
      answer: page("erasures", named("Erasure")),
    },
  ],
  [
    `GET ${MERCHANT}/erasures/:erasure_id`,
    { id: "getErasure", summary: "An erasure's receipt.", answer: named("ErasureReceipt") },
  ],
  [
    "GET /api/v1/erasures",
    {
      id: "listAllErasures",
      summary: "Erasures of all merchants, the newest first.",
      query: ERASURE_PAGE,
      answer: page("erasures", named("Erasure")),
    },
  ],
  [
    "GET /api/v1/erasures/:erasure_id",
    { id: "getAnyErasure", summary: "The receipt of any merchant's erasure.", answer: named("ErasureReceipt") },
  ],
  [
    `POST ${MERCHANT}/streams`,
    { id: "createStream", summary: "Makes a stream.", body: NEW_STREAM, status: 201, answer: named("Stream") },
  ],
  [
    `GET ${MERCHANT}/streams`,
    { id: "listStreams", summary: "Its streams.", query: STREAM_PAGE, answer: page("streams", named("Stream")) },
  ],
  [
    `POST ${MERCHANT}/keys`,
    {
      id: "createKey",
      summary: "Makes an API key, of scope read unless said.",
      body: NEW_KEY,
      status: 201,
      answer: named("KeyWithSecret"),
    },
  ],
  [
    `GET ${MERCHANT}/keys`,
    { id: "listKeys", summary: "Its keys, without secrets.", query: KEY_PAGE, answer: page("keys", named("Key")) },
  ],
  [
    `POST ${MERCHANT}/keys/:key_id/rotate`,
    {
      id: "rotateKey",
      summary: "A new secret for the same key; the old one is good for a grace.",
      body: ROTATION,
      answer: named("KeyWithSecret"),
    },
  ],
  [`DELETE ${MERCHANT}/keys/:key_id`, { id: "revokeKey", summary: "Revokes a key.", answer: named("Revoked") }],
  [`GET ${MERCHANT}/members`, { id: "listMembers", summary: "Its members.", answer: page("members", named("Member")) }],
  [
    `PATCH ${MERCHANT}/members/:member_id`,
    { id: "changeMember", summary: "Another role.", body: MEMBER_CHANGE, answer: named("Member") },
  ],
  [
    `DELETE ${MERCHANT}/members/:member_id`,
    { id: "removeMember", summary: `Removes a member. ${STOP}`, answer: named("Removed") },
  ],
  [
    `POST ${MERCHANT}/invites`,
    {
      id: "createInvite",
      summary: "Invites somebody; the token works once.",
      body: NEW_INVITE,
      status: 201,
      answer: named("InviteWithToken"),
    },
  ],
  [
    `GET ${MERCHANT}/invites`,
    {
      id: "listInvites",
      summary: "Invites that can still be taken.",

      answer: page("invites", named("Invite")),
    },
  ],
  [
    `DELETE ${MERCHANT}/invites/:invite_id`,
    { id: "revokeInvite", summary: `Revokes an invite. ${STOP}`, answer: named("Revoked") },
  ],
  [
    `POST ${MERCHANT}/shares`,
    {
      id: "createShare",
      summary: "Makes a share link, whose filters hold for every question asked by it.",
      body: NEW_SHARE,
      status: 201,
      answer: named("ShareWithToken"),
    },
  ],
  [`GET ${MERCHANT}/shares`, { id: "listShares", summary: "Its share links.", answer: page("shares", named("Share")) }],
  [
    `DELETE ${MERCHANT}/shares/:share_id`,
    { id: "revokeShare", summary: `Revokes a share link. ${STOP}`, answer: named("Revoked") },
  ],
  [
    `POST ${MERCHANT}/segments`,
    {
      id: "createSegment",
      summary: "Saves filters under a name, for questions and share links to name.",
      body: NEW_SEGMENT,
      status: 201,
      answer: named("Segment"),
    },
  ],
  [
    `GET ${MERCHANT}/segments`,
    { id: "listSegments", summary: "Its segments.", answer: page("segments", named("Segment")) },
  ],
  [
    `PATCH ${MERCHANT}/segments/:segment_id`,
    { id: "changeSegment", summary: "Changes a segment.", body: CHANGED_SEGMENT, answer: named("Segment") },
  ],
  [
    `DELETE ${MERCHANT}/segments/:segment_id`,
    { id: "deleteSegment", summary: "Deletes a segment that no share link names.", answer: named("Deleted") },
  ],
  [
    `POST ${MERCHANT}/imports`,
    {
      id: "createImport",
      summary:
        "Gives a file that is to be imported its number; of a file that was imported and stands, the import (200).",
      body: NEW_IMPORT,
      status: 201,
      answer: named("Import"),
    },
  ],
  [
    `GET ${MERCHANT}/imports`,
    {
      id: "listImports",
      summary: "Its imports, the newest first.",
      query: IMPORT_PAGE,
      answer: page("imports", named("Import")),
    },
  ],
  [`GET ${MERCHANT}/imports/:number`, { id: "getImport", summary: "How far one is.", answer: named("Import") }],
  [
    `PATCH ${MERCHANT}/imports/:number`,
    { id: "changeImport", summary: "Says how far it is, or pauses it.", body: IMPORT_CHANGE, answer: named("Import") },
  ],
  [
    `POST ${MERCHANT}/imports/:number/undo`,
    { id: "undoImport", summary: "Lets all of its events count no more.", status: 202, answer: named("Import") },
  ],
  [
    `POST ${MERCHANT}/imports/:number/redo`,
    { id: "redoImport", summary: "Lets them count again.", status: 202, answer: named("Import") },
  ],
  [
    "POST /api/v1/session",
    { id: "signIn", summary: "Signs in by a cookie.", body: SIGN_IN, status: 201, answer: named("Session") },
  ],
  [
    "POST /api/v1/invites/accept",
    { id: "acceptInvite", summary: "Takes an invite.", body: ACCEPTANCE, status: 201, answer: named("Accepted") },
  ],
  [
    "GET /api/v1/shared",
    { id: "getShared", summary: "What a share link is of; its token is the bearer.", answer: named("Shared") },
  ],
  ["GET /api/v1/shops", { id: "listShops", summary: "The shops of whoever is signed in.", answer: named("Shops") }],
  ["GET /api/v1/session", { id: "getSession", summary: "Who is asking.", answer: named("Session") }],
  ["DELETE /api/v1/session", { id: "signOut", summary: "Signs out.", answer: named("SignedOut") }],
  [
    "PUT /api/v1/session/password",
    {
      id: "changePassword",
      summary: "Another password; every other session of the member ends.",
      body: PASSWORD_CHANGE,
      answer: named("Changed"),
    },
  ],
  [
    "GET /api/v1/audit",
    {
      id: "listAudit",
      summary: "What was done to whom, the newest first.",
      query: AUDIT_PAGE,
      answer: page("audit", named("AuditEntry")),
    },
  ],
  [
    "GET /api/v1/meter",
    {
      id: "getMeter",
      summary: "Billable operations of an isolate here and one of the background Worker.",
      answer: named("Meter"),
    },
  ],
  [
    "GET /api/v1/partitions",
    {
      id: "listPartitions",
      summary: "Where partitions stand.",
      query: PARTITION_PAGE,
      answer: page("partitions", named("Partition")),
    },
  ],
  [
    "POST /api/v1/operators",
    {
      id: "createOperator",
      summary: "Names somebody who runs the deployment; the token is in this answer alone.",
      body: NEW_OPERATOR,
      status: 201,
      answer: named("OperatorWithToken"),
    },
  ],
  ["GET /api/v1/operators", { id: "listOperators", summary: "Who runs the deployment.", answer: named("Operators") }],
  [
    "DELETE /api/v1/operators/:operator_id",
    { id: "revokeOperator", summary: "Ends an operator's token.", answer: named("Revoked") },
  ],
  [
    "GET /api/v1/alerts",
    { id: "listAlerts", summary: "Alerts that are raised, and when that was last looked at.", answer: named("Alerts") },
  ],
  [
    "GET /api/v1/dead-letters",
    {
      id: "listDeadLetters",
      summary: "Messages that no consumer could handle.",
      query: DEAD_LETTER_PAGE,
      answer: page("dead_letters", named("DeadLetter")),
    },
  ],
  [
    "POST /api/v1/dead-letters/redrive",
    {
      id: "redrive",
      summary: "Handles one of them again, or a page of all.",
      body: REDRIVE,
      answer: page("redriven", named("Redriven")),
    },
  ],
  [
    "GET /api/v1/doctor",
    { id: "doctor", summary: "Whether each kind of state is whole, and what mends it.", answer: named("Diagnosis") },
  ],
  [
    "POST /api/v1/backups",
    { id: "createBackup", summary: "Backs the directory up now.", status: 201, answer: named("NewBackup") },
  ],
  [
    "GET /api/v1/backups",
    { id: "listBackups", summary: "Backups of the directory.", answer: page("backups", named("Backup")) },
  ],
  [
    "POST /api/v1/recover/directory",
    {
      id: "recoverDirectory",
      summary: "Makes a directory whole that was lost or restored to an earlier instant.",
      body: DIRECTORY_RECOVERY,
      answer: named("DirectoryRecovery"),
    },
  ],
  [
    "POST /api/v1/recover/ledger",
    {
      id: "recoverLedger",
      summary: "Fills a ledger that was lost or restored from the archive, some Days at a time.",
      body: LEDGER_RECOVERY,
      status: 202,
      answer: named("LedgerRecovery"),
    },
  ],
  [
    "POST /api/v1/recover/erasures",
    {
      id: "recoverErasures",
      summary: "Asks once more for erasures that no ledger knows.",
      status: 202,
      answer: named("ErasureRecovery"),
    },
  ],
  [
    "GET /api/v1/archive/days",
    {
      id: "listArchiveDays",
      summary: "The archive's Days, and what state each is in.",
      query: DAYS_PAGE,
      answer: page("days", named("ArchiveDay")),
    },
  ],
  [
    "POST /api/v1/archive/seal",
    { id: "sealDays", summary: "Seals closed Days now.", body: DAYS, status: 202, answer: named("Sealing") },
  ],
  [
    "GET /api/v1/archive/files",
    {
      id: "listArchiveFiles",
      summary: "The objects that hold every event of a Day and partition.",
      query: FILES,
      answer: named("ArchiveFiles"),
    },
  ],
  [
    "POST /api/v1/replays",
    {
      id: "createReplay",
      summary: "Counts a range of Days again from the archive.",
      body: NEW_REPLAY,
      status: 202,
      answer: named("ReplayProgress"),
    },
  ],
  ["GET /api/v1/replays", { id: "listReplays", summary: "The latest.", answer: page("replays", named("Replay")) }],
  ["GET /api/v1/replays/:id", { id: "getReplay", summary: "How far one is.", answer: named("ReplayProgress") }],
  replayVerb("pause", "No further part is begun."),
  replayVerb("resume", "Goes on, and tries failed parts again."),
  replayVerb("cancel", "Ends it; what is written stays."),
  replayVerb("undo", "Puts back what it replaced."),
];

export const OPERATIONS: ReadonlyMap<string, Operation> = new Map(ENTRIES);

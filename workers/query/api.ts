// The API, except questions. One row for each operation has its route, who may call it, its fields, its answer, its
// handler and its name in the audit log. Routes (app.ts), the OpenAPI document, generated clients and the tests of
// doors, tenants and hostile bodies are made from these rows. The tables of fields are those that the handlers use, so
// what is documented is what is checked.

import type { Context } from "hono";
import type { Schema } from "../../core/type-text.ts";
import type { ReplayVerb } from "../../storage/directory/replay-job.ts";
import { DAYS, DAYS_PAGE, FILES, getArchiveDays, getArchiveFiles, postSeal } from "./archive-days.ts";
import { AUDIT_PAGE, getAudit } from "./audit.ts";
import {
  BUCKET_OBJECT,
  BUCKET_PAGE,
  BUCKET_RECOVERY,
  getBucket,
  getBucketObject,
  NEW_BUCKET_OBJECT,
  postBucketRecovery,
  putBucketObject,
} from "./bucket.ts";
import type { Deps } from "./deps.ts";
import { getDoctor } from "./doctor.ts";
import { deleteMerchant, ERASURE_PAGE, getErasure, getErasures, NEW_ERASURE, postErasure } from "./erasures.ts";
import { EVENTS, getEvents } from "./events.ts";
import type { FieldTable } from "./field.ts";
import { IMPORTED_ROWS, putImportedRows } from "./imported-rows.ts";
import {
  getImport,
  getImports,
  IMPORT_CHANGE,
  IMPORT_PAGE,
  NEW_IMPORT,
  patchImport,
  postImport,
  postImportRedo,
  postImportUndo,
} from "./imports.ts";
import { deleteKey, getKeys, KEY_PAGE, NEW_KEY, postKey, postKeyRotation, ROTATION } from "./keys.ts";
import {
  deleteInvite,
  deleteMember,
  getInvites,
  getMembers,
  MEMBER_CHANGE,
  NEW_INVITE,
  patchMember,
  postInvite,
} from "./members.ts";
import {
  getMerchant,
  getMerchants,
  MERCHANT_CHANGE,
  MERCHANT_PAGE,
  NEW_MERCHANT,
  patchMerchant,
  postMerchant,
} from "./merchants.ts";
import { deleteNote, getNotes, NEW_NOTE, NOTE_RANGE, postNote } from "./notes.ts";
import { deleteOneSession, deleteSessions, getSessions } from "./open-sessions.ts";
import { named, page } from "./openapi/shape.ts";
import {
  DEAD_LETTER_PAGE,
  getDeadLetters,
  getMeter,
  getPartitions,
  PARTITION_PAGE,
  postRedrive,
  REDRIVE,
} from "./operations.ts";
import { deleteOperator, getOperators, NEW_OPERATOR, postOperator } from "./operators.ts";
import { getPreferences, PREFERENCE_CHANGE, patchPreferences } from "./preferences.ts";
import { type Door, isOutside, type Outside } from "./principal.ts";
import type { Checked } from "./problem.ts";
import { getProof, PROOF } from "./proof.ts";
import {
  getOwnRates,
  getRates,
  OWN_RATES_CHANGE,
  OWN_RATES_PAGE,
  postOwnRates,
  postRates,
  RATES_IMPORT,
  RATES_PAGE,
} from "./rates.ts";
import {
  DIRECTORY_RECOVERY,
  getBackups,
  LEDGER_RECOVERY,
  PARTITION_RECOVERY,
  postBackup,
  postDirectoryRecovery,
  postErasureRecovery,
  postLedgerRecovery,
  postPartitionRecovery,
} from "./recovery.ts";
import { getReplay, getReplays, NEW_REPLAY, postReplay, postReplayVerb } from "./replays.ts";
import type { FileReply, Reply } from "./request.ts";
import { getRules, getRuleVersion, getRuleVersions, putRules, RULES_CHANGE, VERSION_PAGE } from "./rules.ts";
import { CHANGED_SEGMENT, deleteSegment, getSegments, NEW_SEGMENT, patchSegment, postSegment } from "./segments.ts";
import {
  ACCEPTANCE,
  deleteSession,
  getSession,
  PASSWORD_CHANGE,
  postAcceptance,
  postSession,
  putPassword,
  SIGN_IN,
} from "./sessions.ts";
import { deleteShare, getShared, getShares, NEW_SHARE, postShare } from "./shares.ts";
import { getShops } from "./shops.ts";
import { getSpread, NEW_SPREAD, postSpread } from "./spread.ts";
import { INCIDENT_UPDATE, NEW_INCIDENT, patchIncident, postIncident } from "./status.ts";
import {
  getStreams,
  NEW_STREAM,
  patchStream,
  postStream,
  postStreamVerification,
  STREAM_CHANGE,
  STREAM_PAGE,
} from "./streams.ts";
import {
  ALARM_PREVIEW,
  CHANGED_SUBSCRIPTION,
  deleteSubscription,
  getAlarms,
  getSubscription,
  getSubscriptions,
  NEW_SUBSCRIPTION,
  NOTICE_PREVIEW,
  patchSubscription,
  postNoticePreview,
  postSubscription,
  postSubscriptionRotation,
  postSubscriptionTest,
} from "./subscriptions.ts";
import {
  deleteOwnView,
  deleteView,
  getViews,
  NEW_VIEW,
  patchOwnView,
  patchView,
  postOwnView,
  postView,
  VIEW_CHANGE,
} from "./views.ts";
import { getAlerts, getCost } from "./watch.ts";

type Handler = (c: Context, deps: Deps) => Promise<Checked<Reply | FileReply>>;

/** An example of a query string or of a body. */
export type Example = Readonly<Record<string, unknown>>;

export interface Operation {
  /** Who may call it. */
  readonly door: Door | Outside;
  /** Set where only a member may call it. A key has no session and no preferences, and gets 409. */
  readonly personal?: true;
  readonly handler: Handler;
  /** Its name in the audit log. Absent where the operation changes nothing. */
  readonly act?: string;
  /** Its name in generated clients. */
  readonly id: string;
  readonly summary: string;
  /** The parameters of its query string. Absent where it takes none. */
  readonly query?: FieldTable;
  /** The fields of its body. Absent where it takes none. */
  readonly body?: FieldTable;
  /**
   * Examples of what may be sent. Together they name every parameter or field. The first one can be sent many times.
   * The OpenAPI document shows the first one. The tests of tenants and of hostile input send them all.
   */
  readonly examples?: readonly Example[];
  /** The status of success, 200 by default. */
  readonly status?: 201 | 202;
  /** The answer of success. Absent where the answer is a file. */
  readonly answer?: Schema;
}

/**
 * Operations that the audit log does not note as they come: recovering the directory, which may be an empty database
 * before it, is noted afterwards; of objects that are put back into a bucket that was lost, perhaps with the directory,
 * what follows is noted ("bucket.recover").
 */
export const NOT_NOTED_BEFORE: readonly string[] = ["directory.recover", "bucket.put"];

const STOP = "It takes effect at once.";

const TWO_DAYS = { from: "2026-11-01", to: "2026-11-02" };
const OWN_RATE = { currency: "USD", in: "EUR", rate: "0.92", from: "2026-10-01" };
const DIGEST = "a".repeat(64);
const GOALS = { rules: { goals: [{ name: "Sign-up", event: "signup" }] }, note: "Sign-ups are a goal." };
const LEAVES_OUT = {
  rules: {
    bots: { drop: ["*shopbot*"] },
    addresses: [{ name: "Office", networks: ["2001:db8::/32"] }],
    paths: { replace: [{ match: "/x/*", page: "/x" }] },
  },
  note: "Nobody of the office counts.",
};

/** Examples of the first page of a list, and of the page after an entry. */
function pages(after: number | string): readonly Example[] {
  return [{ limit: 10 }, { limit: 10, after }];
}

const replayVerb = (verb: ReplayVerb, summary: string): readonly [string, Operation] => [
  `POST /api/v1/replays/:id/${verb}`,
  {
    door: "replay",
    handler: postReplayVerb(verb),
    act: `replay.${verb}`,
    id: `${verb}Replay`,
    summary,
    answer: named("ReplayProgress"),
  },
];

/** The operations on a merchant's own rules, or on the deployment's rules for all merchants. */
function ruleOperations(path: string, whose: "the merchant" | "the deployment"): typeof ENTRIES {
  const isOwn = whose === "the merchant";
  const name = isOwn ? "Rules" : "GlobalRules";
  const readers = isOwn ? "read" : "watch";
  return [
    [
      `GET ${path}`,
      {
        door: readers,
        handler: getRules,
        id: `get${name}`,
        summary: `The rules of ${whose}.`,
        answer: named("RuleTimeline"),
      },
    ],
    [
      `PUT ${path}`,
      {
        door: isOwn ? "admin" : "deployment",
        handler: putRules,
        act: isOwn ? "rules.change" : "global_rules.change",
        id: `put${name}`,
        summary: `Changes the rules of ${whose}, from an instant ahead on.`,
        body: RULES_CHANGE,
        examples: [isOwn ? GOALS : LEAVES_OUT, { ...LEAVES_OUT, if_version: 0 }],
        answer: named("RuleTimeline"),
      },
    ],
    [
      `GET ${path}/versions`,
      {
        door: readers,
        handler: getRuleVersions,
        id: `list${name.replace("Rules", "RuleVersions")}`,
        summary: "What was decided, the newest first.",
        query: VERSION_PAGE,
        examples: pages(100),
        answer: page("versions", named("RuleVersionSummary")),
      },
    ],
    [
      `GET ${path}/versions/:version`,
      {
        door: readers,
        handler: getRuleVersion,
        id: `get${name.replace("Rules", "RuleVersion")}`,
        summary: "One of them.",
        answer: named("RuleVersion"),
      },
    ],
  ];
}

const MERCHANT = "/api/v1/merchants/:id";

const ENTRIES: readonly (readonly [route: string, operation: Operation])[] = [
  [
    "POST /api/v1/merchants",
    {
      door: "deployment",
      handler: postMerchant,
      act: "merchant.create",
      id: "createMerchant",
      summary: "Makes a merchant with its first stream and its first key, of scope read.",
      body: NEW_MERCHANT,
      examples: [
        { name: "Harbour Coffee", time_zone: "Europe/Vienna", currency: "EUR" },
        { name: "Harbour Coffee", time_zone: "Europe/Vienna", currency: "EUR", hostname: "harbour.example" },
      ],
      status: 201,
      answer: named("NewMerchant"),
    },
  ],
  [
    "GET /api/v1/merchants",
    {
      door: "deployment",
      handler: getMerchants,
      id: "listMerchants",
      summary: "All merchants.",
      query: MERCHANT_PAGE,
      examples: pages(100),
      answer: page("merchants", named("Merchant")),
    },
  ],
  [
    `GET ${MERCHANT}`,
    { door: "read", handler: getMerchant, id: "getMerchant", summary: "A merchant.", answer: named("Merchant") },
  ],
  [
    `PATCH ${MERCHANT}`,
    {
      door: "admin",
      handler: patchMerchant,
      act: "merchant.change",
      id: "changeMerchant",
      summary: "Changes what is sent.",
      body: MERCHANT_CHANGE,
      examples: [{ name: "Harbour Coffee", retention_days: 365 }, { time_zone: "Europe/Vienna" }, { currency: "EUR" }],
      answer: named("Merchant"),
    },
  ],
  [
    `POST ${MERCHANT}/spread`,
    {
      door: "operate",
      handler: postSpread,
      act: "merchant.spread",
      id: "spreadMerchant",
      summary:
        "Has a hot merchant's events counted by so many partitions of its own, from its next Day on; 0 for the pool.",
      body: NEW_SPREAD,
      examples: [{ partitions: 0 }, { partitions: 1, from: "midnight" }],
      answer: named("Spread"),
    },
  ],
  [
    `GET ${MERCHANT}/spread`,
    {
      door: "operate",
      handler: getSpread,
      id: "getSpread",
      summary: "Over how many partitions a merchant is spread, and from when.",
      answer: named("Spread"),
    },
  ],
  [
    `DELETE ${MERCHANT}`,
    {
      door: "owner",
      handler: deleteMerchant,
      act: "merchant.erase",
      id: "eraseMerchant",
      summary: "Ends a merchant and erases all that is kept of it.",
      status: 202,
      answer: named("ErasureReceipt"),
    },
  ],
  [
    `GET ${MERCHANT}/proof`,
    {
      door: "read",
      handler: getProof,
      id: "getProof",
      summary: "What proves the numbers of some Days: their events counted once more, and the seals that hold them.",
      query: PROOF,
      examples: [TWO_DAYS],
      answer: named("Proof"),
    },
  ],
  [
    `GET ${MERCHANT}/events`,
    {
      door: "admin",
      handler: getEvents,
      act: "events.export",
      id: "exportEvents",
      summary: "Raw events of some Days, as a file.",
      query: EVENTS,
      examples: [
        TWO_DAYS,
        {
          ...TWO_DAYS,
          format: "csv",
          name: "purchase",
          visitor: "00000000000000aa",
          hostname: "shop.example",
          country: "AT",
          order_id: "1001",
          stream: 1,
          counted: true,
          filters: '[["is","event:page",["/"]]]',
        },
      ],
    },
  ],
  ...ruleOperations(`${MERCHANT}/rules`, "the merchant"),
  ...ruleOperations("/api/v1/rules", "the deployment"),
  [
    "POST /api/v1/rates",
    {
      door: "deployment",
      handler: postRates,
      act: "rates.import",
      id: "importRates",
      summary: "Adds exchange rates of the deployment, or corrects them; null takes one away.",
      body: RATES_IMPORT,
      examples: [{ rates: [{ date: "2026-11-20", per_euro: { USD: "1.0562" } }] }],
      answer: named("RatesImported"),
    },
  ],
  [
    "GET /api/v1/rates",
    {
      door: "watch",
      handler: getRates,
      id: "listRates",
      summary: "The deployment's exchange rates, the newest Day first.",
      query: RATES_PAGE,
      examples: pages("2026-11-20"),
      answer: named("PublishedRates"),
    },
  ],
  [
    `POST ${MERCHANT}/rates`,
    {
      door: "admin",
      handler: postOwnRates,
      act: "own_rates.change",
      id: "changeOwnRates",
      summary: "Decides exchange rates of the merchant's own; sending what stood before takes it back.",
      body: OWN_RATES_CHANGE,
      examples: [{ rates: [OWN_RATE] }, { rates: [OWN_RATE], preview: true }],
      answer: named("OwnRatesChanged"),
    },
  ],
  [
    `GET ${MERCHANT}/rates`,
    {
      door: "read",
      handler: getOwnRates,
      id: "listOwnRates",
      summary: "The merchant's own exchange rates, the newest first.",
      query: OWN_RATES_PAGE,
      examples: pages(100),
      answer: page("rates", named("OwnRate")),
    },
  ],
  [
    `POST ${MERCHANT}/erasures`,
    {
      door: "admin",
      handler: postErasure,
      act: "erasure.create",
      id: "createErasure",
      summary: "Erases a visitor, a range of Days, or a visitor in a range.",
      body: NEW_ERASURE,
      examples: [{ visitor_id: "anna" }, { visitor: "00000000000000aa", ...TWO_DAYS }],
      status: 202,
      answer: named("ErasureReceipt"),
    },
  ],
  [
    `GET ${MERCHANT}/erasures`,
    {
      door: "admin",
      handler: getErasures,
      id: "listErasures",
      summary: "Erasures of the merchant, the newest first.",
      query: ERASURE_PAGE,
      examples: pages("0-15"),
      answer: page("erasures", named("Erasure")),
    },
  ],
  [
    `GET ${MERCHANT}/erasures/:erasure_id`,
    {
      door: "admin",
      handler: getErasure,
      id: "getErasure",
      summary: "An erasure's receipt.",
      answer: named("ErasureReceipt"),
    },
  ],
  [
    "GET /api/v1/erasures",
    {
      door: "deployment",
      handler: getErasures,
      id: "listAllErasures",
      summary: "Erasures of all merchants, the newest first.",
      query: ERASURE_PAGE,
      examples: pages("0-15"),
      answer: page("erasures", named("Erasure")),
    },
  ],
  [
    "GET /api/v1/erasures/:erasure_id",
    {
      door: "deployment",
      handler: getErasure,
      id: "getAnyErasure",
      summary: "The receipt of any merchant's erasure.",
      answer: named("ErasureReceipt"),
    },
  ],
  [
    `POST ${MERCHANT}/streams`,
    {
      door: "admin",
      handler: postStream,
      act: "stream.create",
      id: "createStream",
      summary: "Makes a stream.",
      body: NEW_STREAM,
      examples: [{ name: "Till" }, { name: "App", hostname: "app.harbour.example" }],
      status: 201,
      answer: named("Stream"),
    },
  ],
  [
    `GET ${MERCHANT}/streams`,
    {
      door: "read",
      handler: getStreams,
      id: "listStreams",
      summary: "Its streams.",
      query: STREAM_PAGE,
      examples: pages(1),
      answer: page("streams", named("Stream")),
    },
  ],
  [
    `PATCH ${MERCHANT}/streams/:number`,
    {
      door: "admin",
      handler: patchStream,
      act: "stream.change",
      id: "changeStream",
      summary: "Another name or hostname; null takes the hostname away.",
      body: STREAM_CHANGE,
      examples: [{ name: "Till" }, { hostname: "app.harbour.example" }, { hostname: null }],
      answer: named("Stream"),
    },
  ],
  [
    `POST ${MERCHANT}/streams/:number/verify`,
    {
      door: "admin",
      handler: postStreamVerification,
      act: "stream.verify",
      id: "verifyStream",
      summary: "Looks for the record of DNS that proves its hostname. Refused (409) with what was found instead.",
      answer: named("Stream"),
    },
  ],
  [
    `POST ${MERCHANT}/keys`,
    {
      door: "admin",
      handler: postKey,
      act: "key.create",
      id: "createKey",
      summary: "Makes an API key, of scope read unless said.",
      body: NEW_KEY,
      examples: [{ name: "Dashboard" }, { name: "Till", scope: "write", expires_at: "2030-01-31T12:00:00Z" }],
      status: 201,
      answer: named("KeyWithSecret"),
    },
  ],
  [
    `GET ${MERCHANT}/keys`,
    {
      door: "admin",
      handler: getKeys,
      id: "listKeys",
      summary: "Its keys, without secrets.",
      query: KEY_PAGE,
      examples: pages("key_aaaaaaaaaaaaaaaaaaaaaaaa"),
      answer: page("keys", named("Key")),
    },
  ],
  [
    `POST ${MERCHANT}/keys/:key_id/rotate`,
    {
      door: "admin",
      handler: postKeyRotation,
      act: "key.rotate",
      id: "rotateKey",
      summary: "A new secret for the same key; the old one is good for a grace.",
      body: ROTATION,
      examples: [{ grace_seconds: 3600 }],
      answer: named("KeyWithSecret"),
    },
  ],
  [
    `DELETE ${MERCHANT}/keys/:key_id`,
    {
      door: "admin",
      handler: deleteKey,
      act: "key.revoke",
      id: "revokeKey",
      summary: "Revokes a key.",
      answer: named("Revoked"),
    },
  ],
  [
    `GET ${MERCHANT}/members`,
    {
      door: "owner",
      handler: getMembers,
      id: "listMembers",
      summary: "Its members.",
      answer: page("members", named("Member")),
    },
  ],
  [
    `PATCH ${MERCHANT}/members/:member_id`,
    {
      door: "owner",
      handler: patchMember,
      act: "member.change",
      id: "changeMember",
      summary: "Another role.",
      body: MEMBER_CHANGE,
      examples: [{ role: "owner" }],
      answer: named("Member"),
    },
  ],
  [
    `DELETE ${MERCHANT}/members/:member_id`,
    {
      door: "owner",
      handler: deleteMember,
      act: "member.remove",
      id: "removeMember",
      summary: `Removes a member. ${STOP}`,
      answer: named("Removed"),
    },
  ],
  [
    `POST ${MERCHANT}/invites`,
    {
      door: "owner",
      handler: postInvite,
      act: "invite.create",
      id: "createInvite",
      summary: "Invites somebody; the token works once.",
      body: NEW_INVITE,
      examples: [{ email: "anna@shop.example", role: "viewer" }],
      status: 201,
      answer: named("InviteWithToken"),
    },
  ],
  [
    `GET ${MERCHANT}/invites`,
    {
      door: "owner",
      handler: getInvites,
      id: "listInvites",
      summary: "Invites that can still be taken.",

      answer: page("invites", named("Invite")),
    },
  ],
  [
    `DELETE ${MERCHANT}/invites/:invite_id`,
    {
      door: "owner",
      handler: deleteInvite,
      act: "invite.revoke",
      id: "revokeInvite",
      summary: `Revokes an invite. ${STOP}`,
      answer: named("Revoked"),
    },
  ],
  [
    `POST ${MERCHANT}/shares`,
    {
      door: "admin",
      handler: postShare,
      act: "share.create",
      id: "createShare",
      summary: "Makes a share link, whose filters hold for every question asked by it.",
      body: NEW_SHARE,
      examples: [
        { name: "For the agency" },
        {
          name: "The blog",
          filters: [["contains", "event:page", ["/blog/"]]],
          expires_at: "2030-01-31T12:00:00Z",
          embed_origins: ["https://blog.example"],
        },
      ],
      status: 201,
      answer: named("ShareWithToken"),
    },
  ],
  [
    `GET ${MERCHANT}/shares`,
    {
      door: "admin",
      handler: getShares,
      id: "listShares",
      summary: "Its share links.",
      answer: page("shares", named("Share")),
    },
  ],
  [
    `DELETE ${MERCHANT}/shares/:share_id`,
    {
      door: "admin",
      handler: deleteShare,
      act: "share.revoke",
      id: "revokeShare",
      summary: `Revokes a share link. ${STOP}`,
      answer: named("Revoked"),
    },
  ],
  [
    `POST ${MERCHANT}/segments`,
    {
      door: "admin",
      handler: postSegment,
      act: "segment.create",
      id: "createSegment",
      summary: "Saves filters under a name, for questions and share links to name.",
      body: NEW_SEGMENT,
      examples: [{ name: "The blog", filters: [["contains", "event:page", ["/blog/"]]] }],
      status: 201,
      answer: named("Segment"),
    },
  ],
  [
    `GET ${MERCHANT}/segments`,
    {
      door: "read",
      handler: getSegments,
      id: "listSegments",
      summary: "Its segments.",
      answer: page("segments", named("Segment")),
    },
  ],
  [
    `PATCH ${MERCHANT}/segments/:segment_id`,
    {
      door: "admin",
      handler: patchSegment,
      act: "segment.change",
      id: "changeSegment",
      summary: "Changes a segment.",
      body: CHANGED_SEGMENT,
      examples: [{ name: "The blog", filters: [["contains", "event:page", ["/blog/"]]] }],
      answer: named("Segment"),
    },
  ],
  [
    `DELETE ${MERCHANT}/segments/:segment_id`,
    {
      door: "admin",
      handler: deleteSegment,
      act: "segment.delete",
      id: "deleteSegment",
      summary: "Deletes a segment that no share link names.",
      answer: named("Deleted"),
    },
  ],
  [
    `POST ${MERCHANT}/views`,
    {
      door: "admin",
      handler: postView,
      act: "view.save",
      id: "saveView",
      summary: "Keeps an address of the dashboard under a name.",
      body: NEW_VIEW,
      examples: [{ name: "Last week", page: "overview", search: "?v=1&range=7d" }],
      status: 201,
      answer: named("View"),
    },
  ],
  [
    `GET ${MERCHANT}/views`,
    {
      door: "read",
      handler: getViews,
      id: "listViews",
      summary: "Its saved views, and the own ones of whoever is signed in.",
      answer: page("views", named("View")),
    },
  ],
  [
    `PATCH ${MERCHANT}/views/:view_id`,
    {
      door: "admin",
      handler: patchView,
      act: "view.rename",
      id: "renameView",
      summary: "Gives it another name.",
      body: VIEW_CHANGE,
      examples: [{ name: "The last days" }],
      answer: named("View"),
    },
  ],
  [
    `DELETE ${MERCHANT}/views/:view_id`,
    {
      door: "admin",
      handler: deleteView,
      act: "view.delete",
      id: "deleteView",
      summary: "Deletes it.",
      answer: named("Deleted"),
    },
  ],
  [
    `POST ${MERCHANT}/own-views`,
    {
      door: "read",
      personal: true,
      handler: postOwnView,
      act: "own_view.save",
      id: "saveOwnView",
      summary: "Keeps an address of the dashboard for whoever is signed in alone.",
      body: NEW_VIEW,
      examples: [{ name: "My week", page: "overview", search: "?v=1&range=7d" }],
      status: 201,
      answer: named("View"),
    },
  ],
  [
    `PATCH ${MERCHANT}/own-views/:view_id`,
    {
      door: "read",
      personal: true,
      handler: patchOwnView,
      act: "own_view.rename",
      id: "renameOwnView",
      summary: "Gives a view of one's own another name.",
      body: VIEW_CHANGE,
      examples: [{ name: "The last days" }],
      answer: named("View"),
    },
  ],
  [
    `DELETE ${MERCHANT}/own-views/:view_id`,
    {
      door: "read",
      personal: true,
      handler: deleteOwnView,
      act: "own_view.delete",
      id: "deleteOwnView",
      summary: "Deletes a view of one's own.",
      answer: named("Deleted"),
    },
  ],
  [
    `POST ${MERCHANT}/notes`,
    {
      door: "admin",
      handler: postNote,
      act: "note.create",
      id: "createNote",
      summary: "Notes what happened on a Day.",
      body: NEW_NOTE,
      examples: [{ date: "2026-11-21", text: "The shop was closed" }],
      status: 201,
      answer: named("Note"),
    },
  ],
  [
    `GET ${MERCHANT}/notes`,
    {
      door: "read",
      handler: getNotes,
      id: "listNotes",
      summary: "Its notes on Days, the earliest first.",
      query: NOTE_RANGE,
      examples: [TWO_DAYS],
      answer: page("notes", named("Note")),
    },
  ],
  [
    `DELETE ${MERCHANT}/notes/:note_id`,
    {
      door: "admin",
      handler: deleteNote,
      act: "note.delete",
      id: "deleteNote",
      summary: "Deletes it.",
      answer: named("Deleted"),
    },
  ],
  [
    `POST ${MERCHANT}/subscriptions`,
    {
      door: "admin",
      handler: postSubscription,
      act: "subscription.create",
      id: "createSubscription",
      summary: "Has reports or alarms sent to an address of mail, a webhook or a chat.",
      body: NEW_SUBSCRIPTION,
      examples: [
        { channel: "webhook", target: "https://hook.shop.dev/in", topics: ["weekly"] },
        {
          channel: "webhook",
          target: "https://hook.shop.dev/goals",
          topics: ["goal"],
          language: "de",
          quiet: { from: "22:00", to: "07:00" },
          goal: { metric: "orders", value: 10, period: "week", goal: "Sign-up" },
        },
      ],
      status: 201,
      answer: named("SubscriptionWithSecret"),
    },
  ],
  [
    `GET ${MERCHANT}/subscriptions`,
    {
      door: "admin",
      handler: getSubscriptions,
      id: "listSubscriptions",
      summary: "What it is told, and where.",
      answer: page("subscriptions", named("Subscription")),
    },
  ],
  [
    `POST ${MERCHANT}/subscriptions/preview`,
    {
      door: "read",
      handler: postNoticePreview,
      id: "previewReport",
      summary: "What a report of the latest period would say.",
      body: NOTICE_PREVIEW,
      examples: [{ topic: "weekly" }, { topic: "monthly", channel: "slack", language: "ar" }],
      answer: named("NoticePreview"),
    },
  ],
  [
    `GET ${MERCHANT}/alarms`,
    {
      door: "read",
      handler: getAlarms,
      id: "previewAlarms",
      summary: "What alarms would have told over the last 30 Days, with the numbers that explain each.",
      query: ALARM_PREVIEW,
      examples: [{}, { language: "de" }],
      answer: named("AlarmPreview"),
    },
  ],
  [
    `GET ${MERCHANT}/subscriptions/:subscription_id`,
    {
      door: "admin",
      handler: getSubscription,
      id: "getSubscription",
      summary: "A subscription, with what became of its latest messages.",
      answer: named("SubscriptionWithDeliveries"),
    },
  ],
  [
    `PATCH ${MERCHANT}/subscriptions/:subscription_id`,
    {
      door: "admin",
      handler: patchSubscription,
      act: "subscription.change",
      id: "changeSubscription",
      summary: "Changes a subscription, or switches it off or on.",
      body: CHANGED_SUBSCRIPTION,
      examples: [
        { language: "de" },
        { topics: ["silence"], quiet: null, goal: null, state: "off", paused_until: null },
      ],
      answer: named("Subscription"),
    },
  ],
  [
    `DELETE ${MERCHANT}/subscriptions/:subscription_id`,
    {
      door: "admin",
      handler: deleteSubscription,
      act: "subscription.delete",
      id: "deleteSubscription",
      summary: `Deletes a subscription. ${STOP}`,
      answer: named("Deleted"),
    },
  ],
  [
    `POST ${MERCHANT}/subscriptions/:subscription_id/rotate`,
    {
      door: "admin",
      handler: postSubscriptionRotation,
      act: "subscription.rotate",
      id: "rotateSubscription",
      summary: "Gives a webhook another secret; the former one signs too for 24 hours.",
      answer: named("SubscriptionWithSecret"),
    },
  ],
  [
    `POST ${MERCHANT}/subscriptions/:subscription_id/test`,
    {
      door: "admin",
      handler: postSubscriptionTest,
      act: "subscription.test",
      id: "testSubscription",
      summary: "Sends a test message.",
      status: 202,
      answer: named("Written"),
    },
  ],
  [
    `POST ${MERCHANT}/imports`,
    {
      door: "admin",
      handler: postImport,
      act: "import.create",
      id: "createImport",
      summary:
        "Gives a file that is to be imported its number; of a file that was imported and stands, the import (200).",
      body: NEW_IMPORT,
      examples: [
        { name: "orders.csv", source: "csv", digest: DIGEST, head: DIGEST, reading: DIGEST, days: { "2026-11-01": 1 } },
        {
          ...{ name: "shop.zip", source: "plausible", head: DIGEST, reading: DIGEST, days: { "2026-10-05": 1 } },
          digest: "b".repeat(64),
          tables: { visitors: { rows: 1, counters: ["visitors", "pageviews"] } },
        },
      ],
      status: 201,
      answer: named("Import"),
    },
  ],
  [
    `GET ${MERCHANT}/imports`,
    {
      door: "admin",
      handler: getImports,
      id: "listImports",
      summary: "Its imports, the newest first.",
      query: IMPORT_PAGE,
      examples: [...pages(100), { head: DIGEST }],
      answer: page("imports", named("Import")),
    },
  ],
  [
    `GET ${MERCHANT}/imports/:number`,
    { door: "admin", handler: getImport, id: "getImport", summary: "How far one is.", answer: named("Import") },
  ],
  [
    `PATCH ${MERCHANT}/imports/:number`,
    {
      door: "admin",
      handler: patchImport,
      act: "import.change",
      id: "changeImport",
      summary: "Says how far it is, or pauses it.",
      body: IMPORT_CHANGE,
      examples: [
        { state: "done" },
        { state: "running", place: { line: 10, chain: DIGEST }, tally: { rows: 10, accepted: 9 } },
      ],
      answer: named("Import"),
    },
  ],
  [
    `PUT ${MERCHANT}/imports/:number/rows`,
    {
      door: "admin",
      handler: putImportedRows,
      act: "import.rows",
      id: "putImportedRows",
      summary: "Brings rows of one table of an import of rollups, whole Days each.",
      body: IMPORTED_ROWS,
      examples: [{ table: "visitors", offset: 0, days: { "2026-10-05": [[14, 16, 40, 5, 820]] } }],
      answer: named("Import"),
    },
  ],
  [
    `POST ${MERCHANT}/imports/:number/undo`,
    {
      door: "admin",
      handler: postImportUndo,
      act: "import.undo",
      id: "undoImport",
      summary: "Lets all of its events count no more.",
      status: 202,
      answer: named("Import"),
    },
  ],
  [
    `POST ${MERCHANT}/imports/:number/redo`,
    {
      door: "admin",
      handler: postImportRedo,
      act: "import.redo",
      id: "redoImport",
      summary: "Lets them count again.",
      status: 202,
      answer: named("Import"),
    },
  ],
  [
    "POST /api/v1/session",
    {
      door: "anybody",
      handler: postSession,
      id: "signIn",
      summary: "Signs in by a cookie.",
      body: SIGN_IN,
      examples: [{ email: "anna@shop.example", password: "correct horse battery" }],
      status: 201,
      answer: named("Session"),
    },
  ],
  [
    "POST /api/v1/invites/accept",
    {
      door: "anybody",
      handler: postAcceptance,
      id: "acceptInvite",
      summary: "Takes an invite.",
      body: ACCEPTANCE,
      examples: [{ token: `ffi_${"A".repeat(43)}`, password: "correct horse battery" }],
      status: 201,
      answer: named("Accepted"),
    },
  ],
  [
    "GET /api/v1/shared",
    {
      door: "link",
      handler: getShared,
      id: "getShared",
      summary: "What a share link is of; its token is the bearer.",
      answer: named("Shared"),
    },
  ],
  [
    "GET /api/v1/shops",
    {
      door: "person",
      handler: getShops,
      id: "listShops",
      summary: "The shops of whoever is signed in.",
      answer: named("Shops"),
    },
  ],
  [
    "GET /api/v1/session",
    { door: "read", handler: getSession, id: "getSession", summary: "Who is asking.", answer: named("Session") },
  ],
  [
    "DELETE /api/v1/session",
    {
      door: "read",
      personal: true,
      handler: deleteSession,
      act: "session.end",
      id: "signOut",
      summary: "Signs out.",
      answer: named("SignedOut"),
    },
  ],
  [
    "GET /api/v1/sessions",
    {
      door: "read",
      personal: true,
      handler: getSessions,
      id: "listSessions",
      summary: "Where you are signed in.",
      answer: page("sessions", named("OpenSession")),
    },
  ],
  [
    "DELETE /api/v1/sessions",
    {
      door: "read",
      personal: true,
      handler: deleteSessions,
      act: "session.end_others",
      id: "endOtherSessions",
      summary: "Ends all your sessions but this one.",
      answer: named("SessionsEnded"),
    },
  ],
  [
    "DELETE /api/v1/sessions/:session_id",
    {
      door: "read",
      personal: true,
      handler: deleteOneSession,
      act: "session.end_one",
      id: "endSession",
      summary: "Ends one of your sessions.",
      answer: named("SessionEnded"),
    },
  ],
  [
    "GET /api/v1/preferences",
    {
      door: "read",
      personal: true,
      handler: getPreferences,
      id: "getPreferences",
      summary: "How you want the dashboard.",
      answer: named("Preferences"),
    },
  ],
  [
    "PATCH /api/v1/preferences",
    {
      door: "read",
      personal: true,
      handler: patchPreferences,
      act: "member.preferences",
      id: "changePreferences",
      summary: "Changes what is named; null takes a choice back.",
      body: PREFERENCE_CHANGE,
      examples: [{ theme: "dark" }, { language: "de", theme: "light", start_page: "now", region: "AT" }],
      answer: named("Preferences"),
    },
  ],
  [
    "PUT /api/v1/session/password",
    {
      door: "read",
      personal: true,
      handler: putPassword,
      act: "member.password",
      id: "changePassword",
      summary: "Another password; every other session of the member ends.",
      body: PASSWORD_CHANGE,
      examples: [{ password: "correct horse battery", new_password: "another passphrase" }],
      answer: named("Changed"),
    },
  ],
  [
    "GET /api/v1/audit",
    {
      door: "admin",
      handler: getAudit,
      id: "listAudit",
      summary: "What was done to whom, the newest first.",
      query: AUDIT_PAGE,
      examples: pages(100),
      answer: page("audit", named("AuditEntry")),
    },
  ],
  [
    "GET /api/v1/meter",
    {
      door: "watch",
      handler: getMeter,
      id: "getMeter",
      summary: "Billable operations of an isolate here and one of the background Worker.",
      answer: named("Meter"),
    },
  ],
  [
    "GET /api/v1/partitions",
    {
      door: "watch",
      handler: getPartitions,
      id: "listPartitions",
      summary: "Where partitions stand.",
      query: PARTITION_PAGE,
      examples: pages(100),
      answer: page("partitions", named("Partition")),
    },
  ],
  [
    "POST /api/v1/operators",
    {
      door: "deployment",
      handler: postOperator,
      act: "operator.create",
      id: "createOperator",
      summary: "Names who runs the deployment: by a token, which is in this answer alone, or by Cloudflare Access.",
      body: NEW_OPERATOR,
      examples: [
        { name: "Grafana", scope: "read" },
        { name: "Anna", scope: "owner", email: "anna@shop.example", expires_at: "2030-01-31T12:00:00Z" },
        { name: "On call", scope: "operate", group: "on-call" },
      ],
      status: 201,
      answer: named("OperatorWithToken"),
    },
  ],
  [
    "GET /api/v1/operators",
    {
      door: "deployment",
      handler: getOperators,
      id: "listOperators",
      summary: "Who runs the deployment.",
      answer: named("Operators"),
    },
  ],
  [
    "DELETE /api/v1/operators/:operator_id",
    {
      door: "deployment",
      handler: deleteOperator,
      act: "operator.revoke",
      id: "revokeOperator",
      summary: "Ends an operator's token.",
      answer: named("Revoked"),
    },
  ],
  [
    "GET /api/v1/alerts",
    {
      door: "watch",
      handler: getAlerts,
      id: "listAlerts",
      summary: "Alerts that are raised, and when that was last looked at.",
      answer: named("Alerts"),
    },
  ],
  [
    "GET /api/v1/cost",
    {
      door: "watch",
      handler: getCost,
      id: "getCost",
      summary: "What the month (UTC) has cost so far at list prices, by line, as of the cron's last look.",
      answer: named("Cost"),
    },
  ],
  [
    "POST /api/v1/incidents",
    {
      door: "operate",
      handler: postIncident,
      act: "incident.open",
      id: "openIncident",
      summary: "Tells merchants of an incident, at /status and in answers.",
      body: NEW_INCIDENT,
      examples: [{ title: "Numbers are late", text: "Numbers of the last hour come up to ten minutes late." }],
      status: 201,
      answer: named("Incident"),
    },
  ],
  [
    "PATCH /api/v1/incidents/:incident_id",
    {
      door: "operate",
      handler: patchIncident,
      act: "incident.update",
      id: "updateIncident",
      summary: "Says how it goes on, and that it is over.",
      body: INCIDENT_UPDATE,
      examples: [{ text: "All numbers are current again.", state: "closed" }],
      answer: named("Incident"),
    },
  ],
  [
    "GET /api/v1/dead-letters",
    {
      door: "watch",
      handler: getDeadLetters,
      id: "listDeadLetters",
      summary: "Messages that no consumer could handle.",
      query: DEAD_LETTER_PAGE,
      examples: [{}, { after: "dead-letter/archive/1" }],
      answer: page("dead_letters", named("DeadLetter")),
    },
  ],
  [
    "POST /api/v1/dead-letters/redrive",
    {
      door: "operate",
      handler: postRedrive,
      act: "dead_letter.redrive",
      id: "redrive",
      summary: "Handles one of them again, or a page of all.",
      body: REDRIVE,
      examples: [{}, { key: "dead-letter/archive/1" }, { after: "dead-letter/archive/1" }],
      answer: page("redriven", named("Redriven")),
    },
  ],
  [
    "GET /api/v1/doctor",
    {
      door: "watch",
      handler: getDoctor,
      id: "doctor",
      summary: "Whether each kind of state is whole, and what mends it.",
      answer: named("Diagnosis"),
    },
  ],
  [
    "POST /api/v1/backups",
    {
      door: "operate",
      handler: postBackup,
      act: "backup.create",
      id: "createBackup",
      summary: "Backs the directory up now.",
      status: 201,
      answer: named("NewBackup"),
    },
  ],
  [
    "GET /api/v1/backups",
    {
      door: "watch",
      handler: getBackups,
      id: "listBackups",
      summary: "Backups of the directory.",
      answer: page("backups", named("Backup")),
    },
  ],
  [
    "POST /api/v1/recover/directory",
    {
      door: "deployment",
      handler: postDirectoryRecovery,
      act: "directory.recover",
      id: "recoverDirectory",
      summary: "Makes a directory whole that was lost or restored to an earlier instant.",
      body: DIRECTORY_RECOVERY,
      examples: [{}, { backup: "2026-11-29T12-00-00-000Z" }],
      answer: named("DirectoryRecovery"),
    },
  ],
  [
    "POST /api/v1/recover/ledger",
    {
      door: "deployment",
      handler: postLedgerRecovery,
      act: "ledger.recover",
      id: "recoverLedger",
      summary: "Fills a ledger that was lost or restored from the archive, some Days at a time.",
      body: LEDGER_RECOVERY,
      examples: [
        { ledger: 0 },
        { ledger: 0, from: "2026-01-01" },
        { ledger: 0, imports_after: "imported/1/1/visitors/20000.json.gz" },
      ],
      status: 202,
      answer: named("LedgerRecovery"),
    },
  ],
  [
    "POST /api/v1/recover/partition",
    {
      door: "deployment",
      handler: postPartitionRecovery,
      act: "partition.recover",
      id: "recoverPartition",
      summary: "Brings a partition back whose storage was lost or put back, a step at a time.",
      body: PARTITION_RECOVERY,
      examples: [
        { partition: "pool-0" },
        { partition: "pool-0", step: '{"phase":"look","from":"2026-01-01","highest":1}' },
      ],
      status: 202,
      answer: named("PartitionRecovery"),
    },
  ],
  [
    "POST /api/v1/recover/erasures",
    {
      door: "deployment",
      handler: postErasureRecovery,
      act: "erasures.recover",
      id: "recoverErasures",
      summary: "Asks once more for erasures that no ledger knows.",
      status: 202,
      answer: named("ErasureRecovery"),
    },
  ],
  [
    "GET /api/v1/bucket",
    {
      door: "deployment",
      handler: getBucket,
      id: "listBucket",
      summary: "The objects of the bucket that a second copy of it holds.",
      query: BUCKET_PAGE,
      examples: pages("numbers/epoch"),
      answer: page("objects", named("BucketObject")),
    },
  ],
  [
    "GET /api/v1/bucket/object",
    {
      door: "deployment",
      handler: getBucketObject,
      id: "getBucketObject",
      summary: "The bytes of an object of the bucket.",
      query: BUCKET_OBJECT,
      examples: [{ key: "numbers/epoch" }],
    },
  ],
  [
    "PUT /api/v1/bucket/object",
    {
      door: "deployment",
      handler: putBucketObject,
      act: "bucket.put",
      id: "putBucketObject",
      summary: "Puts an object of a copy back, where there is none. Its body is the bytes.",
      query: NEW_BUCKET_OBJECT,
      examples: [{ key: "numbers/epoch", md5: "d41d8cd98f00b204e9800998ecf8427e", metadata: "{}" }],
      answer: named("BucketPut"),
    },
  ],
  [
    "POST /api/v1/recover/bucket",
    {
      door: "deployment",
      handler: postBucketRecovery,
      act: "bucket.recover",
      id: "recoverBucket",
      summary: "Makes all whole again after the bucket was lost and a copy was put back, a step at a time.",
      body: BUCKET_RECOVERY,
      examples: [{ copied_at: "2026-11-30T00:00:00Z" }, { copied_at: "2026-11-30T00:00:00Z", step: '{"phase":"end"}' }],
      status: 202,
      answer: named("BucketRecovery"),
    },
  ],
  [
    "GET /api/v1/archive/days",
    {
      door: "watch",
      handler: getArchiveDays,
      id: "listArchiveDays",
      summary: "The archive's Days, and what state each is in.",
      query: DAYS_PAGE,
      examples: [TWO_DAYS, { ...TWO_DAYS, limit: 10, after: "2026-11-01/pool-0" }],
      answer: page("days", named("ArchiveDay")),
    },
  ],
  [
    "POST /api/v1/archive/seal",
    {
      door: "operate",
      handler: postSeal,
      act: "archive.seal",
      id: "sealDays",
      summary: "Seals closed Days now.",
      body: DAYS,
      examples: [TWO_DAYS],
      status: 202,
      answer: named("Sealing"),
    },
  ],
  [
    "GET /api/v1/archive/files",
    {
      door: "watch",
      handler: getArchiveFiles,
      id: "listArchiveFiles",
      summary: "The objects that hold every event of a Day and partition.",
      query: FILES,
      examples: [{ date: "2026-11-01", partition: "pool-0" }],
      answer: named("ArchiveFiles"),
    },
  ],
  [
    "POST /api/v1/replays",
    {
      door: "replay",
      handler: postReplay,
      act: "replay.create",
      id: "createReplay",
      summary: "Counts a range of Days again from the archive.",
      body: NEW_REPLAY,
      examples: [
        { kind: "verify", ...TWO_DAYS },
        { kind: "rebuild", ...TWO_DAYS, time_zone: "Asia/Tokyo" },
        {
          kind: "backfill",
          ...TWO_DAYS,
          merchants: ["mer_aaaaaaaaaaaaaaaaaaaaaaaa"],
          rules: "current",
          dimensions: ["goal"],
        },
        { kind: "verify", ...TWO_DAYS, rules: { asns: { drop: [64500] } } },
      ],
      status: 202,
      answer: named("ReplayProgress"),
    },
  ],
  [
    "GET /api/v1/replays",
    {
      door: "replay",
      handler: getReplays,
      id: "listReplays",
      summary: "The latest.",
      answer: page("replays", named("Replay")),
    },
  ],
  [
    "GET /api/v1/replays/:id",
    {
      door: "replay",
      handler: getReplay,
      id: "getReplay",
      summary: "How far one is.",
      answer: named("ReplayProgress"),
    },
  ],
  replayVerb("pause", "No further part is begun."),
  replayVerb("resume", "Goes on, and tries failed parts again."),
  replayVerb("cancel", "Ends it; what is written stays."),
  replayVerb("undo", "Puts back what it replaced."),
];

/** Operations by route, such as "GET /api/v1/merchants/:id". */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map(ENTRIES);

/** An operation with its method and path. */
export interface Route extends Operation {
  readonly method: string;
  readonly path: string;
}

export const ROUTES: readonly Route[] = ENTRIES.map(([route, operation]) => {
  const [method = "", path = ""] = route.split(" ");
  return { method, path, ...operation };
});

/** The routes that are behind a door. */
export const GUARDED_ROUTES = ROUTES.flatMap(({ door, ...route }) => (isOutside(door) ? [] : [{ ...route, door }]));

// The API, but for questions: one row for each operation says its route, who may, what it takes, what it answers, what
// does it and what the audit log calls it. Routes (app.ts), the OpenAPI document, generated clients and the tests of
// doors, tenants and hostile bodies come from here. The tables of fields are the handlers' own, so what is documented
// is what is checked.

import type { Context } from "hono";
import type { Schema } from "../../core/type-text.ts";
import type { ReplayVerb } from "../../storage/directory/replay-job.ts";
import { DAYS, DAYS_PAGE, FILES, getArchiveDays, getArchiveFiles, postSeal } from "./archive-days.ts";
import { AUDIT_PAGE, getAudit } from "./audit.ts";
import type { Deps } from "./deps.ts";
import { getDoctor } from "./doctor.ts";
import { deleteMerchant, ERASURE_PAGE, getErasure, getErasures, NEW_ERASURE, postErasure } from "./erasures.ts";
import { EVENTS, getEvents } from "./events.ts";
import type { FieldTable } from "./field.ts";
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
import type { Door } from "./principal.ts";
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
  postBackup,
  postDirectoryRecovery,
  postErasureRecovery,
  postLedgerRecovery,
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
import { getStreams, NEW_STREAM, postStream, STREAM_PAGE } from "./streams.ts";
import {
  CHANGED_SUBSCRIPTION,
  deleteSubscription,
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

export interface Operation {
  /**
   * Who may (principal.ts). Absent where it is for those who have no credential yet, or one that is none of this API.
   */
  readonly door?: Door;
  readonly handler: Handler;
  /** What the audit log calls it; absent where nothing is done. */
  readonly act?: string;
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

/** The directory that it recovers may be no directory yet: the entry is written when it is one. */
export const NOTED_BY_ITSELF = "directory.recover";

const STOP = "It takes effect at once.";

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

/** Merchants' own rules, and those of the deployment for all. */
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
      answer: page("streams", named("Stream")),
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
      handler: postOwnView,
      act: "view.save",
      id: "saveOwnView",
      summary: "Keeps an address of the dashboard for whoever is signed in alone.",
      body: NEW_VIEW,
      status: 201,
      answer: named("View"),
    },
  ],
  [
    `PATCH ${MERCHANT}/own-views/:view_id`,
    {
      door: "read",
      handler: patchOwnView,
      act: "view.rename",
      id: "renameOwnView",
      summary: "Gives a view of one's own another name.",
      body: VIEW_CHANGE,
      answer: named("View"),
    },
  ],
  [
    `DELETE ${MERCHANT}/own-views/:view_id`,
    {
      door: "read",
      handler: deleteOwnView,
      act: "view.delete",
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
      answer: named("NoticePreview"),
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
      handler: postSession,
      id: "signIn",
      summary: "Signs in by a cookie.",
      body: SIGN_IN,
      status: 201,
      answer: named("Session"),
    },
  ],
  [
    "POST /api/v1/invites/accept",
    {
      handler: postAcceptance,
      id: "acceptInvite",
      summary: "Takes an invite.",
      body: ACCEPTANCE,
      status: 201,
      answer: named("Accepted"),
    },
  ],
  [
    "GET /api/v1/shared",
    {
      handler: getShared,
      id: "getShared",
      summary: "What a share link is of; its token is the bearer.",
      answer: named("Shared"),
    },
  ],
  [
    "GET /api/v1/shops",
    { handler: getShops, id: "listShops", summary: "The shops of whoever is signed in.", answer: named("Shops") },
  ],
  [
    "GET /api/v1/session",
    { door: "read", handler: getSession, id: "getSession", summary: "Who is asking.", answer: named("Session") },
  ],
  [
    "DELETE /api/v1/session",
    {
      door: "read",
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
      handler: patchPreferences,
      act: "member.preferences",
      id: "changePreferences",
      summary: "Changes what is named; null takes a choice back.",
      body: PREFERENCE_CHANGE,
      answer: named("Preferences"),
    },
  ],
  [
    "PUT /api/v1/session/password",
    {
      door: "read",
      handler: putPassword,
      act: "member.password",
      id: "changePassword",
      summary: "Another password; every other session of the member ends.",
      body: PASSWORD_CHANGE,
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
      act: NOTED_BY_ITSELF,
      id: "recoverDirectory",
      summary: "Makes a directory whole that was lost or restored to an earlier instant.",
      body: DIRECTORY_RECOVERY,
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
      status: 202,
      answer: named("LedgerRecovery"),
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
    "GET /api/v1/archive/days",
    {
      door: "watch",
      handler: getArchiveDays,
      id: "listArchiveDays",
      summary: "The archive's Days, and what state each is in.",
      query: DAYS_PAGE,
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

/** By route, such as "GET /api/v1/merchants/:id". */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map(ENTRIES);

/** An operation and where it is. */
export interface Route extends Operation {
  readonly method: string;
  readonly path: string;
}

export const ROUTES: readonly Route[] = ENTRIES.map(([route, operation]) => {
  const [method = "", path = ""] = route.split(" ");
  return { method, path, ...operation };
});

/** Those that ask who comes. */
export const GUARDED_ROUTES = ROUTES.flatMap(({ door, ...route }) => (door === undefined ? [] : [{ ...route, door }]));

// Finds whose events these are. A tracking ID says it without a look-up. A site's hostname and an API key are looked up
// in D1 and remembered in the isolate for a minute. So a busy site costs one look-up a minute. While the database does
// not answer, what was known before still holds. A key also says that the sender is the merchant's own server.

import { isApiKeyShaped } from "../../core/api-key.ts";
import type { Draft } from "../../core/hit.ts";
import { KEYS_KEPT_MAX, KEYS_KEPT_MS, SITES_KEPT_MAX, SITES_KEPT_MS, SITES_NAMED_MAX } from "../../core/limits.ts";
import { accepted, causeOf, type Outcome, rejected } from "../../core/outcome.ts";
import { type Sign, type TrackingId, verifyTrackingId } from "../../core/tracking-id.ts";
import { hashKey } from "../../storage/directory/credential.ts";
import { findSites } from "../../storage/directory/site.ts";
import { findWriteKey, noteWriteKeyUse, type WriteKey } from "../../storage/directory/write-key.ts";
import { parseStreamHostname } from "../../storage/hostname.ts";
import { writeLog } from "../../storage/log.ts";
import { Memory } from "../../storage/memory.ts";
import { openStorage } from "../../storage/open.ts";
import { signsOf } from "../../storage/signing.ts";
import { basicUserOf } from "./client.ts";
import type { CollectorEnv } from "./env.ts";

export interface Sender extends TrackingId {
  /** Whether the sender is the merchant's own server, by its API key. What it says about its visitor is believed. */
  readonly keyed: boolean;
}

/** A wrong key, and a right one of another merchant, get the same refusal. */
const UNAUTHORIZED = rejected(
  "unauthorized",
  "this API key does not exist, has ended or is another merchant's; list them with: footfall key list",
);
const FORBIDDEN = rejected("forbidden", "this API key reads; sending needs one of scope write or admin");

/** What a look-up needs beside the key. */
export interface Looking {
  readonly env: CollectorEnv;
  /** The time now, UTC ms. */
  readonly now: number;
  /** Lets work continue after the answer. */
  readonly later: (work: Promise<void>) => void;
}

/**
 * The key of `Authorization: Bearer …`, if there is one. A wrong key is refused. If it were ignored, the sender would
 * write as a stranger.
 */
export async function keyOf(authorization: string, looking: Looking): Promise<Outcome<WriteKey | undefined>> {
  const token = bearerOf(authorization);
  return token === undefined ? accepted(undefined) : openKey(token, looking);
}

function bearerOf(authorization: string): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
}

/**
 * The merchant of a request's key, as far as the isolate knows it. Nothing is looked up. The key is a bearer, or the
 * user of basic authorization, as Segment's servers send it. A key that was looked up long ago counts too, since the
 * code that takes the events looks it up again.
 */
export function knownMerchant(authorization: string, now: number): number | undefined {
  const text = bearerOf(authorization) ?? basicUserOf(authorization);
  const key = isApiKeyShaped(text) ? keys.find(hashKey(text), now)?.value : undefined;
  return key?.mayWrite && (key.endsAt === null || key.endsAt > now) ? key.merchant : undefined;
}

/** The senders of one request. */
export interface Senders {
  /** The sender of each draft. */
  readonly all: readonly Outcome<Sender>[];
  /** Whether unknown hostnames were looked up. */
  readonly hasGuessed: boolean;
}

/** Whether each draft names its sender by its tracking ID alone. Then nothing is looked up. */
export function areNamedById(drafts: readonly Outcome<Draft>[], requestKey: WriteKey | undefined): boolean {
  return requestKey === undefined && drafts.every(isNamedById);
}

function isNamedById(draft: Outcome<Draft>): boolean {
  return !draft.ok || (draft.value.trackingId !== "" && draft.value.apiKey === "");
}

/** The sender of each draft, if all are named by their tracking IDs. */
export function namedSenders(drafts: readonly Outcome<Draft>[], env: CollectorEnv): Outcome<Senders> {
  const known = { key: undefined, sites: NO_SITES, signs: signs(env) };
  return accepted({ all: drafts.map((draft) => (draft.ok ? senderOf(draft.value, known) : draft)), hasGuessed: false });
}

const NO_SITES: Known["sites"] = new Map();

function senderOf(draft: Draft, known: Known): Outcome<Sender> {
  const named = nameOf(draft, known);
  if (!named.ok) return named;
  const { merchant, stream } = named.value;
  return accepted({ merchant, stream, keyed: known.key !== undefined });
}

/** The sender of each draft. Refuses the whole hit when it has a wrong key, or one of another merchant. */
export async function sendersOf(
  drafts: readonly Outcome<Draft>[],
  requestKey: WriteKey | undefined,
  looking: Looking,
): Promise<Outcome<Senders>> {
  const taken = drafts.flatMap((draft) => (draft.ok ? [draft.value] : []));
  const [text = "", ...others] = new Set(taken.map(({ apiKey }) => apiKey).filter(Boolean));
  if (others.length > 0) return rejected("invalid_body", "a request holds the events of one API key only");
  const draftKey = text === "" ? accepted(undefined) : await openKey(text, looking);
  if (!draftKey.ok) return draftKey;
  const sites = await recallSites(taken, looking);
  if (!sites.ok) return sites;
  const senders = drafts.map((draft) => {
    if (!draft.ok) return draft;
    const key = draft.value.apiKey === "" ? requestKey : draftKey.value;
    const named = nameOf(draft.value, { key, sites: sites.value.found, signs: signs(looking.env) });
    return named.ok ? accepted({ ...named.value, keyed: key !== undefined, key }) : named;
  });
  const strangers = senders.some(
    (sender) => sender.ok && (sender.value.key?.merchant ?? sender.value.merchant) !== sender.value.merchant,
  );
  return strangers ? UNAUTHORIZED : accepted({ all: senders, hasGuessed: sites.value.hasGuessed });
}

interface Known {
  readonly key: WriteKey | undefined;
  readonly sites: ReadonlyMap<string, TrackingId>;
  readonly signs: readonly Sign[];
}

function nameOf(draft: Draft, { key, sites, signs }: Known): Outcome<TrackingId> {
  if (draft.trackingId !== "") {
    const named = trackingIdOf(draft.trackingId, signs);
    return named === undefined ? unknown("tracking_id", draft.trackingId) : accepted(named);
  }
  if (draft.site !== "") {
    const named = sites.get(parseStreamHostname(draft.site) ?? "");
    return named === undefined ? unknown("site", draft.site) : accepted(named);
  }
  return key === undefined ? rejected("missing_field", "tracking_id is missing") : streamOf(key, draft.stream);
}

function streamOf({ merchant, streams }: WriteKey, stream: number): Outcome<TrackingId> {
  const [only, ...others] = streams;
  if (stream === 0 && only !== undefined && others.length === 0) return accepted({ merchant, stream: only });
  if (stream === 0) {
    return rejected(
      "missing_field",
      `the merchant has ${streams.length} streams; give each event its stream or tracking_id`,
    );
  }
  if (streams.includes(stream)) return accepted({ merchant, stream });
  return rejected("invalid_field", `stream ${stream} is none of the merchant's; list them with: footfall stream list`);
}

/** The refusal of an unknown name. It repeats what was sent, so that a mistyped ID is seen. It never repeats a key. */
function unknown(field: string, text: string): Outcome<never> {
  const shown = isApiKeyShaped(text) ? "an API key" : `"${text.slice(0, 64).toWellFormed()}"`;
  const unproven = field === "site" ? ", or not proven to be" : "";
  return rejected(
    "unknown_tracking_id",
    `${field} ${shown} is not one of this service's${unproven}; list them with: footfall stream list`,
  );
}

const keys = new Memory<WriteKey>({ keptMax: KEYS_KEPT_MAX, freshMs: KEYS_KEPT_MS });
/** Unknown hostnames are remembered too, since a page may name one with every hit. */
const sites = new Memory<TrackingId | undefined>({ keptMax: SITES_KEPT_MAX, freshMs: SITES_KEPT_MS });

/** Looks up a key that is valid now and may write. */
async function openKey(text: string, looking: Looking): Promise<Outcome<WriteKey>> {
  const key = isApiKeyShaped(text) ? await recallKey(hashKey(text), looking) : undefined;
  if (key === undefined || (key.endsAt !== null && key.endsAt <= looking.now)) return UNAUTHORIZED;
  return key.mayWrite ? accepted(key) : FORBIDDEN;
}

/** Looks up a key. Only keys that exist are remembered, so guesses take no room. */
async function recallKey(hash: string, { env, now, later }: Looking): Promise<WriteKey | undefined> {
  const known = keys.find(hash, now);
  if (known?.isFresh) return known.value;
  const key = await orKnown(known, () => findWriteKey(openStorage(env).directory, { hash, now }));
  if (key === undefined) keys.forget(hash);
  else keys.remember(hash, key, now);
  if (key?.mayWrite && key.isUseNews) later(noteUse(key, { env, now }));
  return key;
}

/** Notes that a key was used. If that fails, the answer stands, and the next look-up tries again. */
async function noteUse({ id }: WriteKey, { env, now }: Pick<Looking, "env" | "now">): Promise<void> {
  try {
    await noteWriteKeyUse(openStorage(env).directory, { id, now });
  } catch (error) {
    writeLog({ event: "key_use_failed", error: causeOf(error) });
  }
}

async function recallSites(
  drafts: readonly Draft[],
  { env, now }: Looking,
): Promise<Outcome<{ readonly found: ReadonlyMap<string, TrackingId>; readonly hasGuessed: boolean }>> {
  const named = new Set(
    drafts.flatMap(({ trackingId, site }) =>
      trackingId === "" && site !== "" ? (parseStreamHostname(site) ?? []) : [],
    ),
  );
  if (named.size > SITES_NAMED_MAX) {
    return rejected("too_many_events", `${named.size} sites in one request; at most ${SITES_NAMED_MAX} are allowed`);
  }
  const found = new Map<string, TrackingId>();
  const asked: string[] = [];
  for (const hostname of named) {
    const known = sites.find(hostname, now);
    if (known?.value !== undefined) found.set(hostname, known.value);
    if (!known?.isFresh) asked.push(hostname);
  }
  if (asked.length === 0) return accepted({ found, hasGuessed: false });
  const stale = found.size === named.size ? { value: new Map(found) } : undefined;
  const fresh = await orKnown(stale, () => findSites(openStorage(env).directory, asked));
  for (const hostname of asked) {
    const site = fresh.get(hostname);
    sites.remember(hostname, site, now);
    if (site === undefined) found.delete(hostname);
    else found.set(hostname, site);
  }
  return accepted({ found, hasGuessed: asked.some((hostname) => !fresh.has(hostname)) });
}

/** The database's answer, or what was known before while the database does not answer. */
async function orKnown<T>(known: { readonly value: T } | undefined, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (known === undefined) throw error;
    writeLog({ event: "look_up_failed", error: causeOf(error) });
    return known.value;
  }
}

let parsedSigns: readonly Sign[] | undefined;

/** Made once per isolate, since bindings never change while it lives. */
function signs(env: CollectorEnv): readonly Sign[] {
  parsedSigns ??= signsOf(env);
  return parsedSigns;
}

/** Verified tracking IDs, so that an ID is checked once per isolate instead of once per hit. */
const verified = new Map<string, TrackingId>();
const VERIFIED_KEPT_MAX = 10_000;

function trackingIdOf(text: string, signs: readonly Sign[]): TrackingId | undefined {
  const kept = verified.get(text);
  if (kept !== undefined) return kept;
  const id = verifyTrackingId(text, signs);
  if (id === undefined) return undefined;
  if (verified.size >= VERIFIED_KEPT_MAX) verified.clear();
  verified.set(text, id);
  return id;
}

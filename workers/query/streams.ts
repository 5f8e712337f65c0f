// Admin requests about a merchant's streams: its shops, apps and tills. A stream's tracking ID is never stored. It is
// computed from the merchant's number, the stream's number and the deployment's secret. A hostname that the deployment
// gives is taken for the merchant's; one that its own people give is proven by a record of DNS
// (core/hostname-proof.ts).

import type { Context } from "hono";
import { clean } from "../../core/formats/field.ts";
import { judgeProof, type ProofRecord, proofRecordOf } from "../../core/hostname-proof.ts";
import {
  ADMIN_PAGE_MAX,
  PROOF_LOOKS_PER_SECOND,
  PROOF_TEXT_LENGTH_SHOWN,
  PROOF_TEXTS_SHOWN,
  STREAMS_COUNT_MAX,
} from "../../core/limits.ts";
import { encodeTrackingId, STREAM_NUMBER_MAX } from "../../core/tracking-id.ts";
import { streamsOf } from "../../storage/directory/number-claim.ts";
import {
  changeStream,
  countStreams,
  createStream,
  findHolder,
  findStream,
  lastStreamNumber,
  listStreams,
  proveHostname,
  type Stream,
} from "../../storage/directory/streams.ts";
import type { Deps } from "./deps.ts";
import { type Field, HOSTNAME, NAME, required, wholeNumber } from "./field.ts";
import { hostnameTaken, merchantOf } from "./merchants.ts";
import { newNumber } from "./new-number.ts";
import { actorOf, principalOf } from "./principal.ts";
import { type Checked, problem } from "./problem.ts";
import { takeFrom } from "./purse-memory.ts";
import { bodyOf, parametersOf, type Reply } from "./request.ts";

export const NEW_STREAM = { name: required(NAME), hostname: HOSTNAME };
/** Null takes the hostname away. */
const HOSTNAME_OR_NONE: Field<string | null, false> = {
  required: false,
  expected: `${HOSTNAME.expected}, or null for none`,
  schema: { ...HOSTNAME.schema, type: ["string", "null"] },
  parse: (value) => (value === null ? null : HOSTNAME.parse(value)),
};
export const STREAM_CHANGE = { name: NAME, hostname: HOSTNAME_OR_NONE };
export const STREAM_PAGE = { limit: wholeNumber(1, ADMIN_PAGE_MAX), after: wholeNumber(0, STREAM_NUMBER_MAX) };

/** POST /api/v1/merchants/:id/streams */
export async function postStream(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const body = await bodyOf(c, NEW_STREAM);
  if (!body.ok) return body;
  const { name, hostname = null } = body.value;
  const { number: merchantNumber } = merchant.value;
  // Looked at before a number is claimed, because numbers are never given twice.
  if ((await countStreams(deps.directory, merchantNumber)) >= STREAMS_COUNT_MAX) return FULL;
  const number = await newNumber(
    streamsOf(merchantNumber),
    () => lastStreamNumber(deps.directory, merchantNumber),
    deps,
  );
  if (!number.ok) return number;
  const hostnameProof = hostname !== null && isGiven(c) ? "given" : null;
  const stream = { merchant: merchantNumber, number: number.value, name, hostname, createdAt: deps.now() };
  const made = await createStream(deps.directory, { ...stream, hostnameProof });
  if (made === "taken") return hostnameTaken();
  if (made === "full") return FULL;
  return { ok: true, value: { status: 201, body: shown(made, deps) } };
}

/** GET /api/v1/merchants/:id/streams?limit&after */
export async function getStreams(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const page = parametersOf(c, STREAM_PAGE);
  if (!page.ok) return page;
  const { limit: rowsMax = ADMIN_PAGE_MAX, after = 0 } = page.value;
  const rows = await listStreams(deps.directory, { merchant: merchant.value.number, after, rowsMax });
  const next = rows.length < rowsMax ? null : String(rows.at(-1)?.number);
  return { ok: true, value: { body: { streams: rows.map((row) => shown(row, deps)), next } } };
}

/**
 * PATCH /api/v1/merchants/:id/streams/:number {"name"?,"hostname"?}. The hostname that the stream has already stays as
 * it is proven, unless it is the deployment that gives it.
 */
export async function patchStream(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const stream = await streamOf(c, deps);
  if (!stream.ok) return stream;
  const body = await bodyOf(c, STREAM_CHANGE);
  if (!body.ok) return body;
  const { name, hostname } = body.value;
  const isSame = hostname === undefined || (hostname === stream.value.hostname && !isGiven(c));
  const change = {
    ...(name !== undefined && { name }),
    ...(!isSame && { hostname, hostnameProof: hostname !== null && isGiven(c) ? ("given" as const) : null }),
  };
  const isNothing = Object.keys(change).length === 0;
  const changed = isNothing ? stream.value : await changeStream(deps.directory, stream.value, change);
  if (changed === undefined) return NO_STREAM;
  if (changed === "taken") return hostnameTaken();
  deps.keys.clear(); // keys remember which hostnames are their merchant's
  return { ok: true, value: { body: shown(changed, deps) } };
}

/**
 * POST /api/v1/merchants/:id/streams/:number/verify: looks for the record that proves the stream's hostname. A merchant
 * that had it until then keeps its stream and loses the hostname. Nothing is looked up where there is nothing to prove.
 */
export async function postStreamVerification(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const found = await streamOf(c, deps);
  if (!found.ok) return found;
  const stream = found.value;
  const { merchant, hostname } = stream;
  if (hostname === null) return problem("conflict", "The stream has no hostname to prove. Give it one first.");
  c.set("asked", { hostname }); // for the audit log
  if (stream.hostnameProof !== null) return { ok: true, value: { body: shown(stream, deps) } };
  if (!mayLook(c, merchant, deps)) {
    c.header("Retry-After", String(Math.ceil(1 / PROOF_LOOKS_PER_SECOND)));
    return problem("rate_limited", "DNS was asked for this merchant too often. Try again after Retry-After's seconds.");
  }
  const record = recordOf(stream, hostname, deps);
  const texts = await deps.background.readTexts(record.name);
  if (texts === undefined) return problem("unavailable", `DNS did not answer for ${record.name}. Try again later.`);
  const holder = await findHolder(deps.directory, hostname);
  const verdict = judgeProof(texts, { merchant, holder: holder?.merchant, signs: deps.signs });
  if (verdict === "missing") return problem("conflict", missing(hostname, record, texts));
  if (holder?.hostnameProof === "given") return problem("conflict", GIVEN);
  if (verdict === "held") return problem("conflict", held(record));
  const proven = await proveHostname(deps.directory, { stream, holder, now: deps.now() });
  if (proven === undefined || proven === "taken")
    return problem("conflict", "The hostname or the stream was changed meanwhile. Read it and try again.");
  deps.keys.clear();
  return { ok: true, value: { body: shown(proven, deps) } };
}

/** Whether what is asked comes from the deployment, whose word needs no proof. */
function isGiven(c: Context): boolean {
  return principalOf(c).kind === "deployment";
}

/** Where limits are off, DNS is asked as often as anybody likes. */
function mayLook(c: Context, merchant: number, { keyLimit, proofPurses, now }: Deps): boolean {
  if (keyLimit === undefined || isGiven(c)) return true;
  return takeFrom(proofPurses.of({ asker: actorOf(principalOf(c)), merchant }, now()), 1);
}

async function streamOf(c: Context, deps: Deps): Promise<Checked<Stream>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const text = c.req.param("number") ?? "";
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  const stream = await findStream(deps.directory, { merchant: merchant.value.number, number });
  return stream === undefined ? NO_STREAM : { ok: true, value: stream };
}

const NO_STREAM = problem("not_found", "The merchant has no stream of this number.");
const FULL = problem(
  "conflict",
  `A merchant has at most ${STREAMS_COUNT_MAX} streams, each with one hostname. Change one that is no longer used.`,
);
const GIVEN = "The deployment gave this hostname to another merchant. Ask those who run it.";

function missing(hostname: string, { name, type, text }: ProofRecord, texts: readonly string[]): string {
  const found = texts.slice(0, PROOF_TEXTS_SHOWN).map((one) => `"${shownText(one)}"`);
  const more = texts.length - found.length;
  const instead = texts.length === 0 ? "no such record" : found.join(", ") + (more > 0 ? ` and ${more} more` : "");
  return (
    `${hostname} is not proven. Put a ${type} record at ${name} with the text "${text}". ` +
    `Found there: ${instead}. A new record may take some minutes to be seen.`
  );
}

/**
 * A text of DNS without what is not seen. Somebody may have put it there for the terminal that shows it: controls of
 * U+0080 to U+009F act in some as escapes do, and marks of direction turn round what follows.
 */
function shownText(text: string): string {
  return clean(text.slice(0, PROOF_TEXT_LENGTH_SHOWN)).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "");
}

function held({ name }: ProofRecord): string {
  return `The record of another merchant, which has this hostname now, is also at ${name}. Take it away, and try again.`;
}

function recordOf({ merchant, number }: Stream, hostname: string, deps: Pick<Deps, "signs">): ProofRecord {
  return proofRecordOf(hostname, encodeTrackingId({ merchant, stream: number }, deps.signs[0]));
}

function shown(stream: Stream, deps: Pick<Deps, "signs">) {
  const { merchant, number, name, hostname, hostnameProof, createdAt } = stream;
  return {
    number,
    name,
    hostname,
    hostname_proof: hostnameProof,
    proof_record: hostname === null || hostnameProof !== null ? null : recordOf(stream, hostname, deps),
    tracking_id: encodeTrackingId({ merchant, stream: number }, deps.signs[0]),
    created_at: new Date(createdAt).toISOString(),
  };
}

// The outbox: notices to merchants that wait to be sent, in the ledger of each merchant. A message is written under an
// id that says what it is about, so that writing it again changes nothing. An attempt takes a message for a while
// before it begins. So two crons do not send the same one, and what died on its way is tried again. Rows stay for a
// while after the end, without their text, so that what was sent is not written anew.

import type { Fate } from "../../core/notice/attempt.ts";
import type { Message } from "../../core/notice/message.ts";
import { type Bound, select } from "../statement.ts";
import type { Ledger } from "./ledgers.ts";
import type { OutboxState } from "./schema.ts";

/** A message to be written. */
export interface NewMessage {
  readonly merchant: number;
  readonly id: string;
  readonly subscription: string;
  readonly message: Message;
  /** UTC ms before which it is not sent. */
  readonly notBefore: number;
}

/** A statement that writes a message, unless it was written before. For a batch with what led to it. */
function toOutbox({ merchant, id, subscription, message, notBefore }: NewMessage): Bound {
  const text = `INSERT INTO outbox (merchant, id, subscription, state, message, created_at, next_at, attempts, error)
    VALUES (?1, ?2, ?3, 'waiting', ?4, ?5, ?6, 0, '') ON CONFLICT DO NOTHING`;
  return [text, merchant, id, subscription, JSON.stringify(message), message.at, notBefore];
}

/** Writes messages, each unless it was written before, in one transaction. */
export async function writeMessages(ledger: Ledger, messages: readonly NewMessage[], also: readonly Bound[] = []) {
  const statements = [...messages.map(toOutbox), ...also];
  if (statements.length === 0) return;
  await ledger.batch(statements.map(([text, ...values]) => ledger.prepare(text).bind(...values)));
}

/** What a message may be one of: at most `max` that were written after `since` (UTC ms) and have `part` in their id. */
export interface Quota {
  readonly part: string;
  readonly since: number;
  readonly max: number;
}

/** Writes a message as one of so many. False where there are as many already; true where it was written before. */
export async function writeWithin(ledger: Ledger, written: NewMessage, { part, since, max }: Quota): Promise<boolean> {
  const { merchant, id, subscription, message, notBefore } = written;
  if ((await listWritten(ledger, { merchant, ids: [id] })).has(id)) return true;
  // One statement, so that requests at the same time do not each find room for the last one.
  const text = `INSERT INTO outbox (merchant, id, subscription, state, message, created_at, next_at, attempts, error)
    SELECT ?1, ?2, ?3, 'waiting', ?4, ?5, ?6, 0, '' WHERE ?9 > (
      SELECT count(*) FROM outbox WHERE merchant = ?1 AND created_at > ?7 AND instr(id, ?8) > 0
    ) ON CONFLICT DO NOTHING RETURNING 1`;
  const values = [merchant, id, subscription, JSON.stringify(message), message.at, notBefore, since, part, max];
  return (await select(ledger, [text, ...values])).length > 0;
}

/** Which of these ids were written, sent or not. */
export async function listWritten(
  ledger: Ledger,
  { merchant, ids }: { readonly merchant: number; readonly ids: readonly string[] },
): Promise<ReadonlySet<string>> {
  const text = "SELECT id FROM outbox WHERE merchant = ? AND id IN (SELECT value FROM json_each(?))";
  const rows = await select<{ readonly id: string }>(ledger, [text, merchant, JSON.stringify(ids)]);
  return new Set(rows.map(({ id }) => id));
}

/** A message that is due. */
export interface DueMessage {
  readonly merchant: number;
  readonly id: string;
  readonly subscription: string;
  /** JSON of the message. */
  readonly message: string;
  readonly attempts: number;
}

/**
 * Messages that are due: the longest due of each merchant, then the next of each. However many messages of one merchant
 * wait, because nobody takes them, another's is among the first.
 */
export function listDue(ledger: Ledger, { now, rowsMax }: { now: number; rowsMax: number }) {
  const text = `SELECT merchant, id, subscription, message, attempts FROM (
      SELECT *, row_number() OVER (PARTITION BY merchant ORDER BY next_at, id) AS turn FROM outbox WHERE next_at <= ?
    ) ORDER BY turn, next_at, merchant, id LIMIT ?`;
  return select<DueMessage>(ledger, [text, now, rowsMax]);
}

/**
 * Takes a message for one attempt, until `until`. False where somebody else has taken it since it was read. An attempt
 * that dies leaves the message due at that instant.
 */
export async function takeMessage(
  ledger: Ledger,
  { merchant, id, attempts }: Pick<DueMessage, "merchant" | "id" | "attempts">,
  until: number,
): Promise<boolean> {
  const text = `UPDATE outbox SET attempts = attempts + 1, next_at = ?
    WHERE merchant = ? AND id = ? AND attempts = ? AND state = 'waiting' RETURNING 1`;
  return (await select(ledger, [text, until, merchant, id, attempts])).length > 0;
}

/** Notes what became of an attempt. */
export async function settleMessage(
  ledger: Ledger,
  { merchant, id }: Pick<DueMessage, "merchant" | "id">,
  { fate, now }: { readonly fate: Fate | { readonly state: "dropped" }; readonly now: number },
): Promise<void> {
  if (fate.state === "waiting") {
    const text = "UPDATE outbox SET next_at = ?, error = ? WHERE merchant = ? AND id = ? AND state = 'waiting'";
    await select(ledger, [text, fate.nextAt, fate.error, merchant, id]);
    return;
  }
  const error = fate.state === "failed" ? fate.error : "";
  const text = `UPDATE outbox SET state = ?, message = NULL, next_at = NULL, ended_at = ?, error = ?
    WHERE merchant = ? AND id = ? AND state = 'waiting'`;
  await select(ledger, [text, fate.state, now, error, merchant, id]);
}

/** What became of the latest messages of a subscription, as it is shown. */
export interface Delivery {
  readonly id: string;
  readonly state: OutboxState;
  readonly created_at: number;
  readonly next_at: number | null;
  readonly ended_at: number | null;
  readonly attempts: number;
  readonly error: string;
}

export function listDeliveries(
  ledger: Ledger,
  { merchant, subscription, rowsMax }: { merchant: number; subscription: string; rowsMax: number },
) {
  // Ids of a subscription begin with its own, so the primary key finds them.
  const text = `SELECT id, state, created_at, next_at, ended_at, attempts, error FROM outbox
    WHERE merchant = ? AND id >= ? AND id < ? ORDER BY created_at DESC, id LIMIT ?`;
  return select<Delivery>(ledger, [text, merchant, `${subscription}:`, `${subscription};`, rowsMax]);
}

/** Forgets what ended before an instant. */
export async function forgetMessages(ledger: Ledger, before: number): Promise<void> {
  await select(ledger, ["DELETE FROM outbox WHERE ended_at < ?", before]);
}

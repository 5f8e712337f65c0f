// Notes of what waits in the overflow queue. A message that was acknowledged, and that its partition has not taken yet,
// has a row for each merchant in it. The collector writes it before it sends the message, and the queue's consumer
// notes in it when the message is delivered. By these notes an answer can say up to which instant it is complete. The
// queue itself cannot be asked for its oldest message: a message that is being handled, or waits for another try, does
// not show there.

import { OVERFLOW_NOTES_DONE_MS, OVERFLOW_NOTES_KEPT_MS } from "../../core/limits.ts";
import type { OverflowNote } from "../../core/overflow.ts";
import { select } from "../statement.ts";
import type { Ledger, Ledgers } from "./ledgers.ts";

/** Notes that a message waits, unless it is known to have been delivered. Repeating it changes nothing. */
export async function noteOverflow(ledgers: Ledgers, note: OverflowNote): Promise<void> {
  for (const [ledger, own] of notesOf(ledgers, note)) await putNotes(ledger, own);
}

/** A note for each ledger that has merchants of the message. */
function notesOf(ledgers: Ledgers, note: OverflowNote): readonly (readonly [Ledger, OverflowNote])[] {
  const groups = Map.groupBy(note.merchants, (merchant) => ledgers.ofMerchant(merchant));
  return [...groups].map(([ledger, merchants]) => [ledger, { ...note, merchants }] as const);
}

async function putNotes(db: Ledger, { id, merchants, since }: OverflowNote): Promise<void> {
  const text = `INSERT INTO overflow_notes (merchant, id, since) SELECT value, ?2, ?3 FROM json_each(?1)
    WHERE true ON CONFLICT DO NOTHING`;
  await select(db, [text, JSON.stringify(merchants), id, since]);
}

/**
 * Notes that a message was delivered, or never sent. Its row stays for a while: it keeps out a note that arrives later,
 * where D1 was slow, and tells readers what was delivered while they read.
 */
export async function settleOverflow(
  ledgers: Ledgers,
  { now, ...note }: OverflowNote & { readonly now: number },
): Promise<void> {
  for (const [ledger, own] of notesOf(ledgers, note)) await settleNotes(ledger, { ...own, now });
}

async function settleNotes(
  db: Ledger,
  { id, merchants, since, now }: OverflowNote & { readonly now: number },
): Promise<void> {
  const text = `INSERT INTO overflow_notes (merchant, id, since, done_at) SELECT value, ?2, ?3, ?4 FROM json_each(?1)
    WHERE true ON CONFLICT DO UPDATE SET done_at = excluded.done_at WHERE done_at IS NULL`;
  await select(db, [text, JSON.stringify(merchants), id, since, now]);
}

/**
 * Selects since when an event of merchant ?1 waits, or was delivered at ?4 or later. A reader that has asked partitions
 * at ?4 and asks this afterwards has missed an event that was delivered in between.
 */
export const OVERFLOW_SINCE = `SELECT min(since) FROM overflow_notes
  WHERE merchant = ?1 AND (done_at IS NULL OR done_at >= ?4)`;

/**
 * UTC ms since which an event of a merchant waits; undefined where none does, which is found out without reading a row.
 */
export async function readOverflowSince(db: Ledger, merchant: number): Promise<number | undefined> {
  const text = "SELECT min(since) AS since FROM overflow_notes WHERE merchant = ?1 AND done_at IS NULL";
  const [first] = await select<{ readonly since: number | null }>(db, [text, merchant]);
  return first?.since ?? undefined;
}

/**
 * The cron's part: deletes rows of messages that were delivered a while ago, and notes of messages that are too old to
 * be in any queue.
 */
export async function forgetOverflow(db: Ledger, now: number): Promise<void> {
  const text = "DELETE FROM overflow_notes WHERE done_at < ?1 OR since < ?2";
  await select(db, [text, now - OVERFLOW_NOTES_DONE_MS, now - OVERFLOW_NOTES_KEPT_MS]);
}

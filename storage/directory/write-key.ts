// API keys as the collector reads them: what a key may, into whose streams it writes, and when it was last used. Plain
// SQL, because the collector carries no ORM (docs/decisions/0006); keys are made, rotated and revoked in api-keys.ts.

import { KEY_USE_NOTED_EVERY_MS, STREAMS_COUNT_MAX } from "../../core/limits.ts";
import type { Directory } from "./directory.ts";

export interface WriteKey {
  readonly id: string;
  readonly merchant: number;
  /** Whether its scope sends events: `write` or `admin`. */
  readonly mayWrite: boolean;
  /** Numbers of the merchant's streams, STREAMS_COUNT_MAX at most. */
  readonly streams: readonly number[];
  /** When the key ends, or this secret of it after a rotation, whichever comes first; UTC ms, null for never. */
  readonly endsAt: number | null;
  /** Whether its use was not noted for an hour. */
  readonly isUseNews: boolean;
}

interface Row {
  readonly id: string;
  readonly merchant: number;
  readonly scope: string;
  readonly expiresAt: number | null;
  readonly secretUntil: number | null;
  readonly lastUsedAt: number | null;
  readonly stream: number | null;
}

const FIND = `
  SELECT k.id, k.merchant, k.scope, k.expires_at AS expiresAt, k.last_used_at AS lastUsedAt, streams.number AS stream,
    CASE WHEN k.hash = ?1 THEN NULL ELSE k.previous_until END AS secretUntil
  FROM api_keys AS k LEFT JOIN streams ON streams.merchant = k.merchant
  WHERE k.hash = ?1 OR k.previous_hash = ?1 ORDER BY streams.number LIMIT ?2`;

/** The key of a hash, ended or not; undefined when there is none. */
export async function findWriteKey(
  db: Directory,
  { hash, now }: { readonly hash: string; readonly now: number },
): Promise<WriteKey | undefined> {
  const { results } = await db.prepare(FIND).bind(hash, STREAMS_COUNT_MAX).all<Row>();
  const [first] = results;
  if (first === undefined) return undefined;
  const { id, merchant, scope, expiresAt, secretUntil, lastUsedAt } = first;
  const ends = [expiresAt, secretUntil].filter((end) => end !== null);
  return {
    id,
    merchant,
    mayWrite: scope === "write" || scope === "admin",
    streams: results.flatMap(({ stream }) => (stream === null ? [] : [stream])),
    endsAt: ends.length === 0 ? null : Math.min(...ends),
    isUseNews: lastUsedAt === null || lastUsedAt < now - KEY_USE_NOTED_EVERY_MS,
  };
}

/** Notes that a key was used, unless somebody did within the hour: twice is as good as once. */
export async function noteWriteKeyUse(
  db: Directory,
  { id, now }: { readonly id: string; readonly now: number },
): Promise<void> {
  const sql = "UPDATE api_keys SET last_used_at = ?2 WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at < ?3)";
  await db
    .prepare(sql)
    .bind(id, now, now - KEY_USE_NOTED_EVERY_MS)
    .run();
}

// Streams in D1: a merchant's shops, apps and tills, each with a hostname or none. A hostname is said by as many
// merchants as like to and proven for one (core/hostname-proof.ts): only a proven one is looked up, here for questions
// and in site.ts for hits.

import { and, asc, count, eq, gt, isNotNull, max } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { STREAMS_COUNT_MAX } from "../../core/limits.ts";
import { select } from "../statement.ts";
import type { Directory } from "./directory.ts";
import { streams } from "./schema.ts";

export type Stream = typeof streams.$inferSelect;

/** Another stream has the hostname: one for which it is proven, or one of the same merchant. */
export type Taken = "taken";

/** The highest number that D1 knows to be a stream's of a merchant. */
export async function lastStreamNumber(db: Directory, merchant: number): Promise<number> {
  const [last] = await drizzle(db)
    .select({ number: max(streams.number) })
    .from(streams)
    .where(eq(streams.merchant, merchant));
  return last?.number ?? 0;
}

export async function countStreams(db: Directory, merchant: number): Promise<number> {
  return await drizzle(db).$count(streams, eq(streams.merchant, merchant));
}

/**
 * Adds a stream under a number that was claimed for it (number-claim.ts). "full" where the merchant has as many as
 * there may be, also of requests that come at once.
 */
export async function createStream(db: Directory, stream: Stream): Promise<Stream | Taken | "full"> {
  const { merchant, number, name, hostname, createdAt, hostnameProof } = stream;
  const text = `INSERT INTO streams (merchant, number, name, hostname, created_at, hostname_proof)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE (SELECT count(*) FROM streams WHERE merchant = ?1) < ${STREAMS_COUNT_MAX}
    RETURNING number`;
  const made = await orTaken(() => select(db, [text, merchant, number, name, hostname, createdAt, hostnameProof]));
  if (made === "taken") return made;
  return made.length > 0 ? stream : "full";
}

/** A page of a merchant's streams by number. */
export async function listStreams(
  db: Directory,
  { merchant, after, rowsMax }: { merchant: number; after: number; rowsMax: number },
): Promise<readonly Stream[]> {
  const where = and(eq(streams.merchant, merchant), gt(streams.number, after));
  const rows = await drizzle(db).select().from(streams).where(where).orderBy(asc(streams.number)).limit(rowsMax);
  return rows;
}

type StreamName = Pick<Stream, "merchant" | "number">;

export async function findStream(db: Directory, { merchant, number }: StreamName): Promise<Stream | undefined> {
  const isIt = and(eq(streams.merchant, merchant), eq(streams.number, number));
  const [stream] = await drizzle(db).select().from(streams).where(isIt);
  return stream;
}

/** Changes what is given of a stream; undefined when the merchant has none of that number. */
export async function changeStream(
  db: Directory,
  { merchant, number }: StreamName,
  change: Partial<Pick<Stream, "name" | "hostname" | "hostnameProof">>,
): Promise<Stream | Taken | undefined> {
  const isIt = and(eq(streams.merchant, merchant), eq(streams.number, number));
  const changed = await orTaken(() => drizzle(db).update(streams).set(change).where(isIt).returning());
  return changed === "taken" ? changed : changed[0];
}

/** Whether a hostname is proven for this merchant. Nobody else's answer looks different from nobody's (L6). */
export async function ownsHostname(
  db: Directory,
  { merchant, hostname }: { merchant: number; hostname: string },
): Promise<boolean> {
  const isIts = and(eq(streams.merchant, merchant), eq(streams.hostname, hostname));
  const [found] = await drizzle(db)
    .select({ owned: count() })
    .from(streams)
    .where(and(isIts, isNotNull(streams.hostnameProof)));
  return (found?.owned ?? 0) > 0;
}

/** The stream for which a hostname is proven. */
export async function findHolder(db: Directory, hostname: string): Promise<Stream | undefined> {
  const isProven = and(eq(streams.hostname, hostname), isNotNull(streams.hostnameProof));
  const [holder] = await drizzle(db).select().from(streams).where(isProven);
  return holder;
}

/**
 * Notes that DNS names the merchant of a stream. Its holder until now, if there is one, loses the hostname in the same
 * transaction, and its merchant's audit log says so. "taken" where another one has become the holder meanwhile.
 * Undefined where the stream was given another hostname or proof meanwhile.
 */
export async function proveHostname(
  db: Directory,
  { stream, holder, now }: { readonly stream: Stream; readonly holder: Stream | undefined; readonly now: number },
): Promise<Stream | Taken | undefined> {
  const own = [stream.merchant, stream.number, stream.hostname] as const;
  const other = [holder?.merchant ?? 0, holder?.number ?? 0] as const;
  const loses = `hostname = ?3 AND hostname_proof = 'dns' AND merchant = ?4 AND number = ?5
    AND EXISTS (SELECT 1 FROM streams
      WHERE merchant = ?1 AND number = ?2 AND hostname = ?3 AND hostname_proof IS NULL)`;
  const noted = db.prepare(`INSERT INTO audit (at, actor, merchant, act, target, details, outcome)
    SELECT ?6, 'deployment', merchant, 'hostname.lost', CAST(number AS TEXT), json_object('hostname', hostname), 'done'
    FROM streams WHERE ${loses}`);
  const lost = db.prepare(`UPDATE streams SET hostname_proof = NULL WHERE ${loses}`);
  const proven = db.prepare(`UPDATE streams SET hostname_proof = 'dns'
    WHERE merchant = ?1 AND number = ?2 AND hostname = ?3 AND hostname_proof IS NULL RETURNING number`);
  const done = await orTaken(() =>
    db.batch([noted.bind(...own, ...other, now), lost.bind(...own, ...other), proven.bind(...own)]),
  );
  if (done === "taken") return done;
  return (done[2]?.results.length ?? 0) > 0 ? { ...stream, hostnameProof: "dns" } : undefined;
}

/** A hostname is the one unique name that a caller chooses for a stream; numbers are claimed. */
export async function orTaken<T>(write: () => Promise<T>): Promise<T | Taken> {
  try {
    return await write();
  } catch (error) {
    const text = `${String(error)} ${error instanceof Error ? String(error.cause) : ""}`;
    if (/UNIQUE constraint failed: (?:streams\.merchant, )?streams\.hostname\b/.test(text)) return "taken";
    throw error;
  }
}

// Credentials that were taken away, noted in R2 before they are deleted. A directory that is recovered from a backup
// has those that existed then, and must let nobody in by them. Each note is filed under its merchant, so no note can be
// about another merchant. The records of erasures have whole merchants that ended (ledger/erasure-record.ts).

import { type ArchiveBucket, listKeys } from "../archive/bucket.ts";
import { select } from "../statement.ts";
import type { Directory } from "./directory.ts";

/**
 * Tables of credentials, and the column that names one. A rotated key is named by the secret that it no longer has. An
 * operator has no merchant.
 */
const NAMED_BY = {
  api_keys: "merchant, id",
  members: "merchant, id",
  shares: "merchant, id",
  operators: "0, id",
  api_key_secrets: "merchant, hash",
} as const;

export type GoneKind = keyof typeof NAMED_BY;

export interface Gone {
  readonly kind: Exclude<GoneKind, "api_key_secrets">;
  /** 0 for an operator. */
  readonly merchant: number;
  readonly id: string;
}

export interface GoneDeps {
  readonly directory: Directory;
  readonly bucket: ArchiveBucket;
}

const PREFIX = "gone/";

/** Notes a credential that is about to be taken away, if the merchant has it. */
export async function noteGone(gone: Gone, deps: GoneDeps): Promise<void> {
  if ((await findNamed(gone, deps)) !== undefined) await put(gone.kind, gone, deps);
}

/** Removes a note, because the credential was not taken away after all. */
export async function dropNote({ kind, merchant, id }: Gone, { bucket }: GoneDeps): Promise<void> {
  await bucket.delete([`${PREFIX}${kind}/${merchant}/${id}`]);
}

/** Notes the secret of a key that is about to get another one. */
export async function noteRotated(key: Omit<Gone, "kind">, deps: GoneDeps): Promise<void> {
  const named = await findNamed({ ...key, kind: "api_keys" }, deps);
  if (named?.hash != null) await put("api_key_secrets", { merchant: key.merchant, id: named.hash }, deps);
}

/** Takes all noted credentials away again, and returns how many there were. A second run finds nothing. */
export async function takeAway({ directory, bucket }: GoneDeps): Promise<number> {
  let taken = 0;
  for (const [kind, named] of Object.entries(NAMED_BY)) {
    const table = kind === "api_key_secrets" ? "api_keys" : kind;
    const prefix = `${PREFIX}${kind}/`;
    const notes = (await listKeys({ bucket }, prefix)).map(({ key }) => key.slice(prefix.length).split("/"));
    for (let start = 0; start < notes.length; start += NOTES_ONCE) {
      const some = JSON.stringify(notes.slice(start, start + NOTES_ONCE));
      const text = `DELETE FROM ${table} WHERE (${named}) IN (
        SELECT CAST(value ->> 0 AS INTEGER), value ->> 1 FROM json_each(?)) RETURNING 1`;
      taken += (await select(directory, [text, some])).length;
    }
  }
  return taken;
}

/** Acts of the audit log that take a credential away, and what it is of. */
const TAKING_ACTS: Readonly<Record<string, Gone["kind"]>> = {
  "key.revoke": "api_keys",
  "member.remove": "members",
  "share.revoke": "shares",
  "operator.revoke": "operators",
};

/**
 * Notes again what was taken away since an instant (UTC ms), as the audit log has it: the bucket was lost. Some entries
 * after one of them. Returns how many were noted, and the last entry while there may be more. The secrets of rotated
 * keys are in no log.
 */
export async function noteTakenAgain(
  { since, after, rowsMax }: { readonly since: number; readonly after: number; readonly rowsMax: number },
  deps: GoneDeps,
): Promise<{ readonly noted: number; readonly next: number | undefined }> {
  const text = `SELECT id, merchant, act, target FROM audit WHERE id > ?1 AND at >= ?2 AND target IS NOT NULL
    AND act IN (SELECT value FROM json_each(?3)) ORDER BY id LIMIT ?4`;
  const acts = JSON.stringify(Object.keys(TAKING_ACTS));
  type Act = { readonly id: number; readonly merchant: number | null; readonly act: string; readonly target: string };
  const rows = await select<Act>(deps.directory, [text, after, since, acts, rowsMax]);
  for (const { merchant, act, target } of rows) {
    const gone = { kind: TAKING_ACTS[act] as Gone["kind"], merchant: merchant ?? 0, id: target };
    // An act whose outcome nobody knows may have left it in place.
    if ((await findNamed(gone, deps)) === undefined) await put(gone.kind, gone, deps);
  }
  return { noted: rows.length, next: rows.length < rowsMax ? undefined : rows.at(-1)?.id };
}

/** About 60 characters each. A parameter may have 2 MB. */
const NOTES_ONCE = 5_000;

async function findNamed(
  { kind, merchant, id }: Gone,
  { directory }: GoneDeps,
): Promise<{ readonly hash?: string } | undefined> {
  const columns = kind === "members" ? "id" : "hash";
  const text = `SELECT ${columns} FROM ${kind} WHERE (${NAMED_BY[kind]}) = (?, ?)`;
  return (await select<{ readonly hash?: string }>(directory, [text, merchant, id]))[0];
}

async function put(kind: GoneKind, { merchant, id }: Omit<Gone, "kind">, { bucket }: GoneDeps): Promise<void> {
  await bucket.put(`${PREFIX}${kind}/${merchant}/${id}`, "");
}

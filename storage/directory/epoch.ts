// How far the directory has come: a number in D1 that grows with everything that is numbered and with each cron, and in
// R2 beside the claims. Restoring D1 turns back its own and not that in R2; from then on nothing is made that has a
// number, until somebody has said what becomes of what the directory has forgotten (`footfall recover directory`).
// Numbers themselves are claimed, so even a step that is left out gives none of them twice.

import type { ArchiveBucket } from "../archive/bucket.ts";
import { select } from "../statement.ts";
import type { Directory } from "./directory.ts";

/** Where an epoch is kept outside of D1. */
export interface EpochBucket extends Pick<ArchiveBucket, "get" | "put"> {}

export interface EpochDeps {
  readonly directory: Directory;
  readonly bucket: EpochBucket;
}

/** Which epoch the directory has, and which it has been known to have. */
export interface Epochs {
  readonly own: number;
  readonly known: number;
}

const KEY = "numbers/epoch";

/**
 * Raises the epoch by one; false where the directory is behind, and nothing is raised. D1 comes first: whoever dies in
 * between leaves it ahead of R2, which no restore does. Of two at once the later one may leave the lower number in R2,
 * which is too low by one or two until the next cron.
 */
export async function raiseEpoch(deps: EpochDeps): Promise<boolean> {
  const known = await readKnown(deps.bucket);
  const text = "UPDATE deployment SET epoch = epoch + 1 WHERE id = 1 AND epoch >= ? RETURNING epoch";
  const [raised] = await select<{ readonly epoch: number }>(deps.directory, [text, known]);
  if (raised === undefined) return false;
  await deps.bucket.put(KEY, String(raised.epoch));
  return true;
}

export async function readEpochs({ directory, bucket }: EpochDeps): Promise<Epochs> {
  const [own] = await select<{ readonly epoch: number }>(directory, ["SELECT epoch FROM deployment WHERE id = 1"]);
  return { own: own?.epoch ?? 0, known: await readKnown(bucket) };
}

/** Puts the directory where it has been known to be: whoever calls it has seen to what it had forgotten. */
export async function catchUp({ directory, bucket }: EpochDeps): Promise<void> {
  const text = "UPDATE deployment SET epoch = max(epoch, ?) WHERE id = 1";
  await select(directory, [text, await readKnown(bucket)]);
}

async function readKnown(bucket: EpochBucket): Promise<number> {
  const kept = await bucket.get(KEY);
  return kept === null ? 0 : Number(new TextDecoder().decode(await kept.arrayBuffer()));
}

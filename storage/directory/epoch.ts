// How far the directory has come: a number in D1, and a copy of it in R2 beside the claims. It grows with everything
// that gets a number, and with each cron. Restoring D1 turns the number in D1 back, and not the one in R2. From then on
// nothing that has a number is made, until an operator has run `footfall recover directory` and so said what becomes of
// the forgotten state. Numbers are also claimed, so none is given twice even if that step is left out.

import type { ArchiveBucket } from "../archive/bucket.ts";
import { select } from "../statement.ts";
import type { Directory } from "./directory.ts";

/** Where an epoch is kept outside of D1. */
export interface EpochBucket extends Pick<ArchiveBucket, "get" | "put"> {}

export interface EpochDeps {
  readonly directory: Directory;
  readonly bucket: EpochBucket;
}

/** The directory's epoch, and the highest epoch that was seen. */
export interface Epochs {
  readonly own: number;
  readonly known: number;
}

const KEY = "numbers/epoch";

/**
 * Raises the epoch by one. Returns false, and raises nothing, if the directory is behind. D1 comes first. A call that
 * dies in between leaves D1 ahead of R2, which no restore does. Of two calls at once the later one may leave the lower
 * number in R2. It is then too low by one or two until the next cron.
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

/** Sets the directory's epoch to the highest one. The caller must have dealt with what the directory had forgotten. */
export async function catchUp({ directory, bucket }: EpochDeps): Promise<void> {
  const text = "UPDATE deployment SET epoch = max(epoch, ?) WHERE id = 1";
  await select(directory, [text, await readKnown(bucket)]);
}

async function readKnown(bucket: EpochBucket): Promise<number> {
  const kept = await bucket.get(KEY);
  return kept === null ? 0 : Number(new TextDecoder().decode(await kept.arrayBuffer()));
}

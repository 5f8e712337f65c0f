// GET /api/v1/doctor: whether each kind of state is whole and, if not, which command mends it (docs/operate.md). It
// reads little: the newest of each kind, and whether each database is the right one. A look that fails is a finding,
// not a failure of the request.

import type { Context } from "hono";
import { manifestKey, sealedPrefix } from "../../core/archive/object-key.ts";
import { ADMIN_FAN_OUT, BACKUP_EVERY_MS, DOCTORED_DAYS } from "../../core/limits.ts";
import { causeOf } from "../../core/outcome.ts";
import { dateOf } from "../../core/time.ts";
import { STORAGE_LOST } from "../../core/watch/standing.ts";
import { isNewerSealed, newestSealed } from "../../storage/archive/archive-day.ts";
import { archiveOf, listKeys } from "../../storage/archive/bucket.ts";
import { listDeadLetters } from "../../storage/dead-letter.ts";
import { instantOf, listBackups } from "../../storage/directory/backup.ts";
import { readEpochs } from "../../storage/directory/epoch.ts";
import { lastMerchantNumber } from "../../storage/directory/merchants.ts";
import { highestClaim, MERCHANTS } from "../../storage/directory/number-claim.ts";
import { findErasure } from "../../storage/ledger/erasure.ts";
import { listRecords } from "../../storage/ledger/erasure-record.ts";
import type { Ledger } from "../../storage/ledger/ledgers.ts";
import { listEvents, type ToldEvents } from "../../storage/ledger/partition-claim.ts";
import { listNewest, type SealPlace } from "../../storage/ledger/sealed-day.ts";
import type { Deps } from "./deps.ts";
import type { Checked } from "./problem.ts";
import type { Reply } from "./request.ts";

interface Finding {
  /** What was looked at, such as "directory" or "ledger 3". */
  readonly state: string;
  readonly whole: boolean;
  readonly says: string;
  /** The command that mends it. Null where nothing has to be mended, or no command can. */
  readonly command: string | null;
}

/** The platform gives no special answer for a database that is gone. So this is said of any that does not answer. */
const IF_GONE = " (where a database is gone: `footfall deploy <name>` first, which makes and binds an empty one)";

/** What is wrong with a kind of state. Undefined if nothing is. */
type Look = (deps: Deps) => Promise<Pick<Finding, "says" | "command"> | undefined>;

export async function getDoctor(_: Context, deps: Deps): Promise<Checked<Reply>> {
  const looks: (readonly [state: string, look: Look, command: string])[] = [
    ["bucket", lookAtBucket, RECOVER_BUCKET],
    ["directory", lookAtDirectory, "footfall recover directory"],
    ["backups", lookAtBackups, "footfall backup"],
    ...deps.ledgers.all.map((ledger, position) => {
      const command = `footfall recover ledger ${position}`;
      return [`ledger ${position}`, () => lookAtLedger(ledger, command, deps), command] as const;
    }),
    ["partitions", lookAtPartitions, "footfall partitions"],
    ["erasures", lookAtErasures, "footfall recover erasures"],
    ["dead letters", lookAtLetters, "footfall dead-letters redrive"],
  ];
  const findings: Finding[] = [];
  for (const [state, look, command] of looks) {
    const hint = /^(directory|ledger)/.test(state) ? IF_GONE : "";
    const wrong = await look(deps).catch((error: unknown) => ({ says: `${causeOf(error)}${hint}`, command }));
    findings.push({ state, whole: wrong === undefined, says: wrong?.says ?? "whole", command: wrong?.command ?? null });
  }
  return { ok: true, value: { body: { whole: findings.every(({ whole }) => whole), findings } } };
}

const RECOVER_BUCKET = "footfall recover bucket";

/**
 * A bucket that was emptied, or came back from an older copy, lacks claims of numbers that the directory knows, or
 * sealed files that a ledger does. Databases that cannot be read are for other looks.
 */
const lookAtBucket: Look = async (deps) => {
  const given = await lastMerchantNumber(deps.directory).catch(() => 0);
  const claimed = (await highestClaim(MERCHANTS, deps)) ?? 0;
  if (claimed < given)
    return {
      says: `claims of numbers are gone from R2: ${given} were given, ${claimed} are claimed`,
      command: RECOVER_BUCKET,
    };
  for (const ledger of deps.ledgers.all)
    for (const { day, partition, folder } of await listNewest(ledger, DOCTORED_DAYS).catch(() => [])) {
      const found = await findSealed({ day, partition, folder }, deps);
      if (found.isThere || (found.newest !== undefined && isNewerSealed(found.newest, folder))) continue;
      const others = found.newest === undefined ? "no others are there" : "older ones are there";
      const says = `the sealed files of ${dateOf(day)} in ${partition} that a ledger knows are gone from R2, and ${others}`;
      return { says, command: RECOVER_BUCKET };
    }
  return undefined;
};

/** Whether the files of a folder are there, and the newest folder of their Day. */
async function findSealed({ day, partition, folder }: SealPlace & { readonly folder: string }, deps: Deps) {
  const prefix = sealedPrefix({ date: dateOf(day), partition });
  const keys = (await listKeys(archiveOf(deps), prefix)).map(({ key }) => key);
  return { isThere: keys.includes(manifestKey(folder)), newest: newestSealed(keys) };
}

const lookAtDirectory: Look = async (deps) => {
  const { own, known } = await readEpochs(deps);
  if (own >= known) return undefined;
  const says = `it was restored to an earlier instant: its epoch is ${own}, and it has been ${known}`;
  return { says, command: "footfall recover directory" };
};

const lookAtBackups: Look = async (deps) => {
  const [newest] = await listBackups(archiveOf(deps));
  if (newest === undefined) return { says: "there is none yet", command: "footfall backup" };
  if (deps.now() - instantOf(newest) <= 2 * BACKUP_EVERY_MS) return undefined;
  return { says: `the newest is ${newest}; the cron makes one an hour`, command: "footfall backup" };
};

async function lookAtLedger(ledger: Ledger, command: string, deps: Deps): ReturnType<Look> {
  for (const { day, partition, folder } of await listNewest(ledger, DOCTORED_DAYS)) {
    const { isThere, newest } = await findSealed({ day, partition, folder }, deps);
    if (isThere || newest === undefined || !isNewerSealed(newest, folder)) continue;
    const says = `the sealed files of ${dateOf(day)} in ${partition} that it knows are gone, and newer ones are there`;
    return { says, command };
  }
  return undefined;
}

/**
 * Partitions that have noted that their storage is lost. A partition without hits has not noticed a loss, so each
 * partition that ever reported is asked for its position.
 */
const lookAtPartitions: Look = async (deps) => {
  const lost: string[] = [];
  for (const ledger of deps.ledgers.all) {
    // Another look reports a ledger that cannot be read.
    const told = await listEvents(ledger).catch(() => []);
    for (let start = 0; start < told.length; start += ADMIN_FAN_OUT) {
      const some = told.slice(start, start + ADMIN_FAN_OUT);
      const isLost = await Promise.all(some.map((one) => isBehind(one, deps)));
      lost.push(...some.filter((_, index) => isLost[index]).map(({ partition }) => partition));
    }
  }
  const [first] = lost;
  if (first === undefined) return undefined;
  const others = lost.length > 1 ? `, as were those of ${lost.slice(1, 20).join(", ")}` : "";
  const says = `the storage of ${first} was lost or put back${others}: hits of its merchants wait`;
  return { says, command: `footfall recover partition ${first}` };
};

async function isBehind({ partition, events }: ToldEvents, deps: Deps): Promise<boolean> {
  const { failing, durableEvents } = await deps.partition(partition).status();
  return failing.includes(STORAGE_LOST) || durableEvents < events;
}

const lookAtErasures: Look = async (deps) => {
  let unknown = 0;
  for (const [position, ledger] of deps.ledgers.all.entries()) {
    const ids: string[] = [];
    for await (const { erasure } of listRecords(position, archiveOf(deps))) ids.push(erasure.id);
    // Another look reports a ledger that cannot be read. This look is about the records.
    unknown += await countUnknown(ids, ledger).catch(() => 0);
  }
  if (unknown === 0) return undefined;
  return { says: `${unknown} that were asked for are in no ledger`, command: "footfall recover erasures" };
};

async function countUnknown(ids: readonly string[], ledger: Ledger): Promise<number> {
  let unknown = 0;
  for (const id of ids) if ((await findErasure(ledger, id)) === undefined) unknown += 1;
  return unknown;
}

const lookAtLetters: Look = async (deps) => {
  const { letters } = await listDeadLetters(deps.bucket, undefined);
  if (letters.length === 0) return undefined;
  return { says: `${letters.length} or more wait in R2`, command: "footfall dead-letters redrive" };
};

// Opens the directory and the ledgers of a Worker's bindings: metered, and each checked once an isolate before its
// first statement. What numbers a ledger has depends on how many there are, for good; so the directory and every ledger
// keep what they were when they were first opened, and bindings that say anything else are refused. Otherwise a
// merchant would be looked for in a ledger that never had its numbers, and be shown zeros. Each ledger has a name that
// the directory keeps too: an empty or another database in the place of either is refused, since it would be taken for
// one in which nothing ever happened.

import { randomBytes } from "node:crypto";
import { checkLedgers } from "../core/counting/ledger-placement.ts";
import { parsePoolSize } from "../core/counting/placement.ts";
import { archiveBucketOf } from "./archive/bucket.ts";
import type { Directory } from "./directory/directory.ts";
import { isolateMeter } from "./isolate-meter.ts";
import { askEach, type Ledger, type Ledgers, ledgersOf, withMonths } from "./ledger/ledgers.ts";
import { meteredD1, meteredR2 } from "./metered.ts";
import { select } from "./statement.ts";

/** LEDGER_0, LEDGER_1 and so on, without a gap. */
export interface StorageEnv {
  readonly DIRECTORY: D1Database;
  readonly POOL_SIZE: string;
  readonly [ledger: `LEDGER_${number}`]: D1Database;
}

export interface Storage {
  readonly directory: Directory;
  readonly ledgers: Ledgers;
  /** The same databases without a look at what they are, for whoever recovers them. */
  readonly unchecked: { readonly directory: Directory; readonly ledgers: readonly Ledger[] };
}

/** The same for as long as the isolate lives. Who reads old Days gives the bucket that their month files lie in. */
export function openStorage(env: StorageEnv, bucket?: R2Bucket): Storage {
  const known = opened.get(env.DIRECTORY);
  if (known !== undefined) return known;
  const bound = ledgerBindings(env);
  checkLedgers(bound.length, parsePoolSize(env.POOL_SIZE));
  const count = bound.length;
  const months = bucket && archiveBucketOf(meteredR2(bucket, isolateMeter));
  const plain = bound.map((ledger) => withMonths(meteredD1(ledger, isolateMeter), months));
  const directory = meteredD1(env.DIRECTORY, isolateMeter, { first: once((db) => checkDirectory(db, plain)) });
  const all = bound.map((ledger, position) => {
    const first = once((db) => checkLedger(db, { directory, position, count }));
    return withMonths(meteredD1(ledger, isolateMeter, { first, isLedger: true }), months);
  });
  const unchecked = { directory: meteredD1(env.DIRECTORY, isolateMeter), ledgers: plain };
  const storage = { directory, ledgers: ledgersOf(all), unchecked };
  opened.set(env.DIRECTORY, storage);
  return storage;
}

const opened = new WeakMap<D1Database, Storage>();

function ledgerBindings(env: StorageEnv): readonly Ledger[] {
  const bound: Ledger[] = [];
  for (
    let binding: D1Database | undefined = env["LEDGER_0"];
    binding !== undefined;
    binding = env[`LEDGER_${bound.length}`]
  )
    bound.push(binding);
  const named = Object.keys(env).filter((name) => /^LEDGER_\d+$/.test(name)).length;
  if (named > bound.length) throw new Error(`there is no binding LEDGER_${bound.length}, but one with a higher number`);
  return bound;
}

/** Does something until it says that it need not be done again. */
function once(work: (db: D1Database) => Promise<boolean>): (db: D1Database) => Promise<void> {
  let done: Promise<boolean> | undefined;
  return async (db) => {
    done ??= work(db);
    try {
      if (!(await done)) done = undefined;
    } catch (error) {
      done = undefined;
      throw error;
    }
  };
}

/**
 * Keeps how many ledgers there are, the first time; throws where there were others, and where the
 * directory of ledgers is lost.
 */
async function checkDirectory(db: Directory, ledgers: readonly Ledger[]): Promise<boolean> {
  const known = (await readDeployment(db)) ?? (await makeDeployment(db, ledgers));
  if (known === ledgers.length) return true;
  throw new Error(
    `This deployment has ${known} ledgers for good, and ${ledgers.length} are bound: bind LEDGER_0 to LEDGER_${known - 1}.`,
  );
}

async function readDeployment(db: Directory): Promise<number | undefined> {
  const [row] = await select<{ readonly ledgers: number }>(db, ["SELECT ledgers FROM deployment WHERE id = 1"]);
  return row?.ledgers;
}

/** A directory is opened before any ledger: one that was never opened beside ledgers that were is not theirs. */
async function makeDeployment(db: Directory, ledgers: readonly Ledger[]): Promise<number> {
  const identities = await askEach({ all: ledgers }, readIdentity);
  const position = identities.findIndex((identity) => identity !== undefined);
  if (position >= 0)
    throw new Error(
      `The directory is an empty database, and LEDGER_${position} is one of a deployment: restore the directory, or run ` +
        "`footfall recover directory` (docs/operate.md).",
    );
  await select(db, ["INSERT INTO deployment (id, ledgers) VALUES (1, ?) ON CONFLICT DO NOTHING", ledgers.length]);
  return (await readDeployment(db)) as number;
}

/** Which ledger a database says it is. */
interface Identity {
  readonly position: number;
  readonly ledgers: number;
  readonly name: string;
}

async function readIdentity(ledger: Ledger): Promise<Identity | undefined> {
  const [row] = await select<Identity>(ledger, ["SELECT position, ledgers, name FROM identity WHERE id = 1"]);
  return row;
}

interface Place {
  readonly directory: Directory;
  readonly position: number;
  readonly count: number;
}

/**
 * Throws unless the database is the ledger that the directory knows at its position. An empty one is taken for a new
 * ledger where none was there before: its name is written to the directory, then to itself, then it is noted that it
 * has it. Whoever dies in between leaves what the next goes on with.
 */
async function checkLedger(db: Ledger, { directory, position, count }: Place): Promise<boolean> {
  const own = (await readIdentity(db)) ?? (await nameLedger(db, { directory, position, count }));
  if (own.position !== position || own.ledgers !== count)
    throw new Error(
      `LEDGER_${position} of ${count} is bound to ledger ${own.position} of ${own.ledgers}: bind each name to its own database.`,
    );
  // A ledger that knows its name is good while the directory does not answer: what overflows then is noted in it.
  const claim = await readClaim(directory, position).catch(() => "silent" as const);
  if (claim === "silent") return false;
  if (claim?.name !== own.name)
    throw new Error(
      `LEDGER_${position} is bound to the ledger "${own.name}", and the directory knows ` +
        `${claim === undefined ? "none there" : `"${claim.name}" there`}: bind the database that belongs to this deployment.`,
    );
  if (!claim.named)
    await select(directory, [
      "UPDATE claimed_ledgers SET named = 1 WHERE position = ? AND name = ?",
      position,
      own.name,
    ]);
  return true;
}

async function nameLedger(db: Ledger, { directory, position, count }: Place): Promise<Identity> {
  const name = randomBytes(8).toString("hex");
  await select(directory, [
    "INSERT INTO claimed_ledgers (position, name) VALUES (?, ?) ON CONFLICT DO NOTHING",
    position,
    name,
  ]);
  const claim = await readClaim(directory, position);
  if (claim === undefined || claim.named)
    throw new Error(
      `LEDGER_${position} is bound to an empty database, and this deployment's is the ledger "${claim?.name}": restore that ` +
        `database, or, where it is lost for good, run \`footfall recover ledger ${position}\` (docs/operate.md).`,
    );
  const text = "INSERT INTO identity (id, position, ledgers, name) VALUES (1, ?, ?, ?) ON CONFLICT DO NOTHING";
  await select(db, [text, position, count, claim.name]);
  return (await readIdentity(db)) as Identity;
}

/**
 * Lets an empty database be taken for the ledger at a position, which is lost for good. False where the database is a
 * ledger that knows its name: there is nothing to give up. `db` is not checked before it is asked.
 */
export async function giveUpLedger(
  directory: Directory,
  { db, position }: { readonly db: Ledger; readonly position: number },
): Promise<boolean> {
  if ((await readIdentity(db)) !== undefined) return false;
  await select(directory, ["DELETE FROM claimed_ledgers WHERE position = ?", position]);
  return true;
}

interface Claim {
  readonly name: string;
  /** 1 or 0. */
  readonly named: number;
}

async function readClaim(directory: Directory, position: number): Promise<Claim | undefined> {
  const [row] = await select<Claim>(directory, [
    "SELECT name, named FROM claimed_ledgers WHERE position = ?",
    position,
  ]);
  return row;
}

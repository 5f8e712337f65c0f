// Opens the directory and the ledgers of a Worker's bindings: metered, and each checked once an isolate before its first
// statement. What numbers a ledger has depends on how many there are, for good; so the directory and every ledger keep what
// they were when they were first opened, and bindings that say anything else are refused. Otherwise a merchant would be
// looked for in a ledger that never had its numbers, and be shown zeros.

import { checkLedgers } from "../core/counting/ledger-placement.ts";
import { parsePoolSize } from "../core/counting/placement.ts";
import type { Directory } from "./directory/directory.ts";
import { isolateMeter } from "./isolate-meter.ts";
import { type Ledger, type Ledgers, ledgersOf } from "./ledger/ledgers.ts";
import { meteredD1 } from "./metered.ts";

/** LEDGER_0, LEDGER_1 and so on, without a gap. */
export interface StorageEnv {
  readonly DIRECTORY: D1Database;
  readonly POOL_SIZE: string;
  readonly [ledger: `LEDGER_${number}`]: D1Database;
}

export interface Storage {
  readonly directory: Directory;
  readonly ledgers: Ledgers;
}

/** The same for as long as the isolate lives. */
export function openStorage(env: StorageEnv): Storage {
  const known = opened.get(env.DIRECTORY);
  if (known !== undefined) return known;
  const bound = ledgerBindings(env);
  checkLedgers(bound.length, parsePoolSize(env.POOL_SIZE));
  const count = bound.length;
  const directory = meteredD1(
    env.DIRECTORY,
    isolateMeter,
    once((db) => checkDirectory(db, count)),
  );
  const all = bound.map((ledger, position) =>
    meteredD1(
      ledger,
      isolateMeter,
      once((db) => checkLedger(db, { position, count })),
    ),
  );
  const storage = { directory, ledgers: ledgersOf(all) };
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

/** Does something until it has succeeded, and then never again. */
function once(work: (db: D1Database) => Promise<void>): (db: D1Database) => Promise<void> {
  let done: Promise<void> | undefined;
  return async (db) => {
    done ??= work(db);
    try {
      await done;
    } catch (error) {
      done = undefined;
      throw error;
    }
  };
}

/** Keeps how many ledgers there are, the first time; throws where there were others. */
async function checkDirectory(db: D1Database, count: number): Promise<void> {
  const [, kept] = await db.batch<{ readonly ledgers: number }>([
    db.prepare("INSERT INTO deployment (id, ledgers) VALUES (1, ?) ON CONFLICT DO NOTHING").bind(count),
    db.prepare("SELECT ledgers FROM deployment WHERE id = 1"),
  ]);
  const known = kept?.results[0]?.ledgers;
  if (known === count) return;
  throw new Error(
    `This deployment has ${known} ledgers for good, and ${count} are bound: bind LEDGER_0 to LEDGER_${Number(known) - 1}.`,
  );
}

/** Keeps which ledger it is, the first time; throws where it was another one. */
async function checkLedger(
  db: D1Database,
  { position, count }: { readonly position: number; readonly count: number },
): Promise<void> {
  const [, kept] = await db.batch<{ readonly position: number; readonly ledgers: number }>([
    db
      .prepare("INSERT INTO identity (id, position, ledgers) VALUES (1, ?, ?) ON CONFLICT DO NOTHING")
      .bind(position, count),
    db.prepare("SELECT position, ledgers FROM identity WHERE id = 1"),
  ]);
  const known = kept?.results[0];
  if (known?.position === position && known.ledgers === count) return;
  throw new Error(
    `LEDGER_${position} of ${count} is bound to ledger ${known?.position} of ${known?.ledgers}: bind each name to its own database.`,
  );
}

// The bindings of a Worker, and what the databases say of themselves: numbers are never read from the wrong ledger.

import { expect, test } from "vitest";
import { openStorage, type StorageEnv } from "../../storage/open.ts";
import { dyingStorage, makeDatabases } from "../support/databases.ts";

const { directory, ledgers } = makeDatabases(4);
const [first, second, third, fourth] = ledgers.all as [D1Database, D1Database, D1Database, D1Database];

/** As another isolate has them: other objects for the same databases. */
function envOf(bound: readonly D1Database[], poolSize = "8", directoryBound = directory): StorageEnv {
  const named = Object.fromEntries(bound.map((ledger, position) => [`LEDGER_${position}`, { ...ledger }]));
  return { DIRECTORY: { ...directoryBound }, POOL_SIZE: poolSize, ...named } as unknown as StorageEnv;
}

const ask = (d1: D1Database | undefined) => (d1 as D1Database).prepare("SELECT 1 AS one").first("one");

test("[LED-2] the first to open them fixes how many ledgers there are and which is which; the same bindings are good again", async () => {
  for (let isolate = 0; isolate < 2; isolate++) {
    const storage = openStorage(envOf([first, second]));
    expect(await ask(storage.directory)).toBe(1);
    for (const ledger of storage.ledgers.all) expect(await ask(ledger)).toBe(1);
  }
});

test("[LED-2] another number of ledgers is refused by the directory and by each ledger, in words that say what to bind", async () => {
  for (const bound of [[first], [first, second, third, fourth]]) {
    const storage = openStorage(envOf(bound));
    await expect(ask(storage.directory)).rejects.toThrow("has 2 ledgers for good");
    await expect(ask(storage.ledgers.all[0])).rejects.toThrow(/LEDGER_0 of \d is bound to ledger 0 of 2/);
    await expect(storage.ledgers.all[0]?.batch([])).rejects.toThrow("bind each name to its own database");
  }
});

test("[LED-2] two ledgers that were exchanged, or one bound twice, are refused each time they are asked", async () => {
  for (const bound of [
    [second, first],
    [first, first],
  ]) {
    const storage = openStorage(envOf(bound));
    for (let time = 0; time < 2; time++)
      await expect(ask(storage.ledgers.all[1])).rejects.toThrow("LEDGER_1 of 2 is bound to ledger 0 of 2");
  }
});

test("[LED-2] a gap in the bindings, and a number that does not divide POOL_SIZE, are refused at once", () => {
  const gap = { ...envOf([first, second]), LEDGER_3: fourth } as StorageEnv;
  expect(() => openStorage(gap)).toThrow("there is no binding LEDGER_2");
  expect(() => openStorage(envOf([first, second], "9"))).toThrow("2 does not divide 9");
  expect(() => openStorage(envOf([]))).toThrow("1 to 128 ledgers");
});

/** Another isolate on fresh databases, of which some are replaced. */
const isolate = (bound: readonly D1Database[], own: D1Database) => openStorage(envOf(bound, "8", own));

/** Two ledgers of a directory, all opened. */
async function opened() {
  const made = makeDatabases(2);
  const storage = isolate(made.ledgers.all, made.directory);
  for (const ledger of storage.ledgers.all) await ask(ledger);
  return made;
}

test("[LED-11] an empty database in the place of a ledger that was opened is refused, with what to do", async () => {
  const { directory: own, ledgers: made } = await opened();
  const [, ledger] = made.all as [D1Database, D1Database];
  const [empty] = makeDatabases(1).ledgers.all as [D1Database];
  const { ledgers: now } = isolate([empty, ledger], own);
  for (let time = 0; time < 2; time++)
    await expect(ask(now.all[0])).rejects.toThrow(
      /LEDGER_0 is bound to an empty database.*restore that database.*footfall recover ledger 0/,
    );
  expect(await ask(now.all[1])).toBe(1);
  // Once it is given up, the empty one is the ledger, and the old one is not any more.
  await own.prepare("DELETE FROM claimed_ledgers WHERE position = 0").run();
  expect(await ask(now.all[0])).toBe(1);
  await expect(ask(isolate(made.all, own).ledgers.all[0])).rejects.toThrow("bind the database that belongs");
});

test("[LED-11] the ledger of another deployment is refused, and so is a directory that does not know its ledgers", async () => {
  const [one, other] = [await opened(), await opened()];
  await expect(ask(isolate(other.ledgers.all, one.directory).ledgers.all[0])).rejects.toThrow(
    /LEDGER_0 is bound to the ledger "[0-9a-f]{16}", and the directory knows "[0-9a-f]{16}" there/,
  );
  const { directory: empty } = makeDatabases(1);
  const storage = isolate(one.ledgers.all, empty);
  await expect(ask(storage.directory)).rejects.toThrow(/directory is an empty database.*footfall recover directory/);
  expect(await empty.prepare("SELECT * FROM deployment").first()).toBeNull();
});

test("[LED-11] a ledger that knows its name answers while the directory does not, and is looked up when it does", async () => {
  const { directory: own, ledgers: made } = await opened();
  const broken = { prepare: () => ({ bind: () => ({ all: () => Promise.reject(new Error("down")) }) }) };
  const silent = isolate(made.all, broken as unknown as D1Database);
  expect(await ask(silent.ledgers.all[0])).toBe(1);
  let fails = true;
  const back = { ...own, prepare: (text: string) => (fails ? broken : own).prepare(text as never) };
  const { ledgers: now } = isolate(made.all, back as D1Database);
  expect(await ask(now.all[0])).toBe(1);
  fails = false;
  await own.prepare("UPDATE claimed_ledgers SET name = 'x' WHERE position = 0").run();
  await expect(ask(now.all[0])).rejects.toThrow('knows "x" there');
});

test("[LED-11] whoever dies while a new ledger is named leaves what the next goes on with", async () => {
  const counting = dyingStorage(makeDatabases(1), { fatal: Number.POSITIVE_INFINITY, isAfter: false });
  await ask(isolate(counting.ledgers.all, counting.directory).ledgers.all[0]);
  expect(counting.calls()).toBeGreaterThan(6);
  for (let fatal = 0; fatal < counting.calls(); fatal++)
    for (const isAfter of [false, true]) {
      const made = makeDatabases(1);
      const dying = dyingStorage(made, { fatal, isAfter });
      await ask(isolate(dying.ledgers.all, dying.directory).ledgers.all[0]).catch(() => undefined);
      expect(await ask(isolate(made.ledgers.all, made.directory).ledgers.all[0])).toBe(1);
    }
});

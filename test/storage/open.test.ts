// The bindings of a Worker, and what the databases say of themselves: numbers are never read from the wrong ledger.

import { expect, test } from "vitest";
import { openStorage, type StorageEnv } from "../../storage/open.ts";
import { makeDatabases } from "../support/databases.ts";

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

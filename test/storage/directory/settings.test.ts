// Whose settings were changed, as D1's triggers note it, whatever has changed them.

import { expect, test } from "vitest";
import { readChanges, writeSpread } from "../../../storage/directory/settings.ts";
import { makeDatabases } from "../../support/databases.ts";
import { settingsOf } from "../../support/events.ts";
import { putSettings } from "../../support/sealed-world.ts";

function directoryOf(merchants: number) {
  const { database, directory } = makeDatabases();
  const put = (merchant: number, version: number) => putSettings(database, settingsOf("UTC", { merchant, version }));
  for (let merchant = 1; merchant <= merchants; merchant++) put(merchant, 1);
  return { database, directory, put, after: (since: number | undefined) => readChanges(directory, since) };
}

test("[PAR-17] a change is named once, after the last that was seen; a merchant that has gone too", async () => {
  const { database, directory, put, after } = directoryOf(3);
  const { last } = await after(undefined);
  expect(await after(last)).toEqual({ last, merchants: [] });
  put(2, 2);
  await writeSpread(directory, settingsOf("UTC", { merchant: 3, version: 1 }));
  put(2, 3);
  database.exec("DELETE FROM merchants WHERE number = 1");
  const changed = await after(last);
  expect(changed).toEqual({ last: last + 4, merchants: [3, 2, 1] });
  expect(await after(changed.last)).toEqual({ last: changed.last, merchants: [] });
});

test("[PAR-17] more changes than a statement names are all named", async () => {
  const { database, after } = directoryOf(0);
  const insert = database.prepare("INSERT INTO settings_changes (merchant, change) VALUES (?, ?)");
  for (let change = 1; change <= 12_000; change++) insert.run(change, change);
  const { last, merchants } = await after(500);
  expect([last, merchants.length, merchants[0], merchants.at(-1)]).toEqual([12_000, 11_500, 501, 12_000]);
});

test("[PAR-17] a database that was restored says a last change that is earlier than the one that was seen", async () => {
  const { after } = directoryOf(1);
  expect(await after(1_000)).toEqual({ last: 1, merchants: [] }); // the one merchant that was made
});

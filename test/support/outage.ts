// An outage on the real runtime: the table of merchants is hidden from D1's readers, so that a partition cannot learn
// the settings of a merchant it has not counted before. It then takes nothing of that merchant, by an exception, as in
// any other failure of the platform on its way.

import type { Runtime } from "../../scripts/runtime.ts";

export async function hideMerchants(runtime: Runtime): Promise<void> {
  await run(runtime, "ALTER TABLE merchants RENAME TO merchants_hidden");
}

export async function showMerchants(runtime: Runtime): Promise<void> {
  await run(runtime, "ALTER TABLE merchants_hidden RENAME TO merchants");
}

async function run({ miniflare }: Runtime, statement: string): Promise<void> {
  const database = await miniflare.getD1Database("DIRECTORY", "footfall-query");
  await database.prepare(statement).run();
}

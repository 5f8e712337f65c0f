// One story as each product has stored it, imported on the real runtime, a merchant for each. What
// the API answers is compared with what the story comes to, and an import of a product is taken back whole.

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { importFile } from "../../scripts/import/run.ts";
import { type Merchant, startServices, until, untilArchived, untilSealed } from "../support/services.ts";
import { RANGE, SUMS, type Told, tellAll } from "../support/stored-story.ts";

const run = promisify(execFile);
const SCRIPT = join(import.meta.dirname, "../../scripts/footfall.ts");
const TOLD = await tellAll();

/** Of these the import is an object, made by the command line; the rows of others are sent with a key. */
const BY_COMMAND: readonly string[] = ["matomo-api", "posthog-parquet"];

let services: Awaited<ReturnType<typeof startServices>>;
const merchants = new Map<string, Merchant>();
const folder = mkdtempSync(join(tmpdir(), "footfall-products-"));

beforeAll(async () => {
  services = await startServices({ RULES_NOTICE_MS: "100" });
  for (const { product, files } of TOLD) {
    const merchant = await services.client.createMerchant("UTC");
    merchants.set(product, merchant);
    mkdirSync(join(folder, product));
    for (const [name, content] of files) {
      const path = join(folder, product, name);
      writeFileSync(path, content);
      if (!BY_COMMAND.includes(product)) await sendRows(merchant, path);
      else expect(await footfall(merchant, "import", path)).toMatch(/import 1; take it back with/);
    }
  }
  await untilArchived(services.client);
  await untilSealed(services.client, RANGE);
}, 300_000);
afterAll(async () => {
  await services?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test.each(TOLD)("[IMP-28] [IMP-30] [IMP-31] [IMP-32] $product's file comes to what the story is", async (told) => {
  expect(await answersTo(told)).toEqual(wanted(told));
});

test("[IMP-26] an undo takes back each event of a line that is several", async () => {
  const told = TOLD.find(({ product }) => product === "matomo-api") as Told;
  const merchant = merchants.get(told.product) as Merchant;
  await footfall(merchant, "import", "undo", "1");
  await until(
    async () =>
      (await services.client.admin("GET", `/api/v1/merchants/${merchant.id}/imports/1`)) as { readonly state: string },
    ({ state }) => state === "undone",
    60_000,
  );
  expect(await answersTo(told)).toMatchObject({ visitors: 0, pageviews: 0, orders: 0 });
}, 90_000);

test("[IMP-24] the same file again is known, whatever became of the place beside it", async () => {
  const merchant = merchants.get("posthog-parquet") as Merchant;
  const path = join(folder, "posthog-parquet", "events.parquet");
  rmSync(`${path}.footfall-import.json`);
  expect(await footfall(merchant, "import", path)).toMatch(/has brought this file already/);
}, 60_000);

async function sendRows(merchant: Merchant, path: string): Promise<void> {
  const key = await services.client.createWriteKey(merchant);
  const tally = await importFile({
    path,
    destination: {
      collectorUrl: services.client.collectorUrl,
      trackingId: merchant.tracking_id,
      headers: { authorization: `Bearer ${key}` },
    },
    origin: undefined,
    map: new Map(),
    assets: false,
    stateDir: folder,
    meter: () => ({ update() {}, stop() {} }),
    say: () => {},
  });
  expect([tally.refused(), [...tally.rejected]]).toEqual([0, []]);
}

/** What the story comes to, as far as a product tells it. */
function wanted({ lacks = [] }: Told): object {
  const has = (what: NonNullable<Told["lacks"]>[number]) => !lacks.includes(what);
  const money = { orders: SUMS.orders, revenue: SUMS.revenue };
  return {
    visitors: has("pages") ? SUMS.visitors : SUMS.buyers,
    pageviews: has("pages") ? SUMS.pageviews : 0,
    ...(has("orders") ? money : { orders: 0, revenue: 0 }),
    countries: has("countries") ? { AT: SUMS.viewsOf("AT"), DE: SUMS.viewsOf("DE") } : {},
    campaigns: has("campaigns") ? { autumn: SUMS.visitsOf("autumn") } : {},
  };
}

async function answersTo({ product }: Told): Promise<object> {
  const merchant = merchants.get(product) as Merchant;
  const ask = async (question: object) =>
    (await services.client.ask(merchant, { date_range: [RANGE.from, RANGE.to], ...question })).results;
  const [total] = await ask({ metrics: ["visitors", "pageviews", "orders", "total_revenue"], dimensions: [] });
  const [visitors, pageviews, orders, revenue] = total?.metrics ?? [];
  const by = async (metric: string, dimension: string) =>
    Object.fromEntries(
      (await ask({ metrics: [metric], dimensions: [dimension] }))
        .map(({ dimensions, metrics }) => [dimensions[0], metrics[0]])
        .filter(([value, count]) => value !== "(not set)" && count !== 0),
    ) as object;
  return {
    ...{ visitors, pageviews, orders, revenue: (revenue as { readonly value: number } | null)?.value ?? 0 },
    countries: await by("pageviews", "visit:country"),
    campaigns: await by("visits", "visit:utm_campaign"),
  };
}

async function footfall(merchant: Merchant, ...args: readonly string[]): Promise<string> {
  const { client } = services;
  const where = ["--query-url", client.queryUrl, "--collector-url", client.collectorUrl];
  const who = ["--admin-token", client.adminToken, "--merchant", merchant.id];
  const { stdout } = await run(process.execPath, [SCRIPT, ...where, ...args, ...who], {
    env: { PATH: process.env["PATH"] ?? "" },
  });
  return stdout;
}

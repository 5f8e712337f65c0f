// An upgrade, and its rollback, on the real runtime and one state: first the release before, then both at once in the
// order in which Workers are deployed, then this release; then back again. Until a release is kept (`npm run
// release:keep`, or RELEASE names its folder) the release before is this tree. At each step a collector of the other
// release calls the same partitions, hits are taken and counted once, those of the steps before are known, closed Days
// are sealed, and late events of them counted.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type Bundle, type Bundles, bundleWorkers, type Runtime, startRuntime } from "../../scripts/runtime.ts";
import { type Release, releaseBefore, TODAY } from "../support/release.ts";
import { Client, FAST, ledgersFor, type Merchant, SECRETS, untilArchived, untilSealed } from "../support/services.ts";

const DAY_MS = 86_400_000;
const stateDir = mkdtempSync(join(tmpdir(), "footfall-upgrade-"));
let running: Runtime | undefined;
afterAll(async () => {
  await running?.stop();
  rmSync(stateDir, { recursive: true, force: true });
});

/** Which Workers are of this release already, in the order of a deployment; then of a rollback. */
const STEPS: readonly (readonly [what: string, collector: boolean, background: boolean, query: boolean])[] = [
  ["the release before", false, false, false],
  ["its collector is replaced", true, false, false],
  ["its background Worker is replaced", true, true, false],
  ["this release", true, true, true],
  ["the query Worker is rolled back", true, true, false],
  ["all is rolled back", false, false, false],
  ["this release again", true, true, true],
];

/** A Day that is closed. */
const CLOSED = Date.now() - 5 * DAY_MS;
const DATE = new Date(CLOSED).toISOString().slice(0, 10);
const RANGE = { from: DATE, to: DATE };

test("[DPL-6] an upgrade and a rollback lose nothing and count nothing twice", { timeout: 1_200_000 }, async () => {
  const before = await releaseBefore();
  const today = await bundleWorkers();
  let shop: { merchant: Merchant; writeKey: string } | undefined;
  const sent: object[] = [];
  for (const [step, [what, collector, background, query]] of STEPS.entries()) {
    // Databases are migrated before the first Worker is replaced; what was migrated stays.
    const client = await start(
      step === 0 ? before : TODAY,
      {
        collector: (collector ? today : before.bundles).collector,
        background: (background ? today : before.bundles).background,
        query: (query ? today : before.bundles).query,
      },
      (collector ? before.bundles : today).collector,
    );
    client.isOfHere = (collector && query) || before.version === undefined;
    shop ??= await open(client);
    const authorization = { authorization: `Bearer ${shop.writeKey}` };
    // Those of the steps before are known, whoever has counted them, and whichever collector is asked.
    for (const one of sent.length > 0 ? [client, client.other] : []) {
      const { body } = await one.send({ events: sent }, authorization);
      expect([what, body.accepted, body.duplicates]).toEqual([what, 0, sent.length]);
    }
    const fresh = [Date.now() - 1_000, CLOSED].flatMap((timestamp, day) =>
      ["anna", "boris"].map((visitor_id) => ({
        id: `${step} ${day} ${visitor_id}`,
        url: `https://shop.example/${step}`,
        visitor_id,
        timestamp,
      })),
    );
    // As long as a deployment goes on, some of the hits come through a collector of the other release.
    for (const [one, visitor] of [
      [client, "anna"],
      [client.other, "boris"],
    ] as const) {
      const events = fresh.filter(({ visitor_id }) => visitor_id === visitor);
      const { body } = await one.send({ events }, authorization);
      expect([what, visitor, body.accepted]).toEqual([what, visitor, events.length]);
    }
    sent.push(...fresh.filter(({ timestamp }) => timestamp !== CLOSED));
    const views = 2 * (step + 1);
    await untilArchived(client);
    await untilSealed(client, RANGE);
    expect([what, await told(client, shop.merchant, [DATE, DATE])]).toEqual([what, [[2, views]]]);
    expect([what, await told(client, shop.merchant, "day")]).toEqual([what, [[2, views]]]);
    await running?.stop();
    running = undefined;
  }
});

/** A client, and one whose collector is of the other release than the partitions, as for minutes on the platform. */
async function start({ root }: Pick<Release, "root">, bundles: Bundles, otherCollector: Bundle): Promise<Both> {
  const log = process.env["LOG"] === undefined ? () => {} : console.error;
  running = await startRuntime({
    secrets: SECRETS,
    stateDir,
    ledgers: ledgersFor(FAST),
    vars: FAST,
    queueWaitSeconds: 0,
    bundles,
    otherCollector,
    migrations: root,
    log,
  });
  const { queryUrl, otherCollectorUrl = "" } = running;
  const other = new Client({ queryUrl, collectorUrl: otherCollectorUrl });
  other.isOfHere = false;
  return Object.assign(new Client(running), { other });
}

type Both = Client & { readonly other: Client };

async function open(client: Client): Promise<{ merchant: Merchant; writeKey: string }> {
  const merchant = await client.createMerchant();
  return { merchant, writeKey: await client.createWriteKey(merchant) };
}

async function told(client: Client, merchant: Merchant, date_range: unknown): Promise<unknown> {
  const { results } = await client.ask(merchant, { metrics: ["visitors", "pageviews"], date_range });
  return results.map(({ metrics }) => metrics);
}

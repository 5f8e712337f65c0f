// D1 is restored to an earlier instant, or lost, and new merchants are made. None may get the number of an earlier one:
// with it come the earlier one's tracking IDs, and its history in partitions and archive.

import { beforeEach, expect, test } from "vitest";
import { bundleKey } from "../../core/archive/object-key.ts";
import { dateOf, dayAt } from "../../core/time.ts";
import { STREAM_NUMBER_MAX } from "../../core/tracking-id.ts";
import { catchUp, raiseEpoch, readEpochs } from "../../storage/directory/epoch.ts";
import {
  claimKey,
  claimKnown,
  claimNumber,
  highestClaim,
  MERCHANTS,
  streamsOf,
} from "../../storage/directory/number-claim.ts";
import { writeRollups } from "../../storage/ledger/rollup-write.ts";
import { makeDatabases } from "../support/databases.ts";
import { memoryArchive } from "../support/memory-bucket.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../support/query-worker.ts";
import { rowOf } from "../support/rollup-rows.ts";

const today = dayAt("UTC", Date.now());
let worker: QueryWorker;

const post = (path: string, body: object, own = worker) =>
  own.ask("POST", `/api/v1/merchants${path}`, { token: ADMIN_TOKEN, body });
const make = async (own = worker) =>
  (await post("", { name: "Shop", time_zone: "UTC", currency: "EUR" }, own)).body as {
    id: string;
    tracking_id: string;
  };
/** The merchant's number, the first eight digits of its tracking IDs. */
const numberOf = ({ tracking_id }: { readonly tracking_id: string }) => Number.parseInt(tracking_id.slice(0, 8), 16);
const makeTwo = async (own = worker) => [numberOf(await make(own)), numberOf(await make(own))];

beforeEach(() => {
  worker = startQueryWorker();
});

test("[MER-9] D1 is lost: two new merchants get no number of before", async () => {
  expect(await makeTwo()).toEqual([1, 2]);
  const after = startQueryWorker();
  for (const [key, object] of worker.objects) after.objects.set(key, object);
  expect((await post("", { name: "Shop", time_zone: "UTC", currency: "EUR" }, after)).status).toBe(409);
  await catchUp({ directory: after.directory, bucket: memoryArchive(after.objects) });
  expect(await makeTwo(after)).toEqual([3, 4]);
});

test("[MER-9] D1 is restored to an earlier instant, twice: two new merchants get no number of before", async () => {
  await makeTwo();
  await makeTwo();
  for (const expected of [
    [5, 6],
    [7, 8],
  ]) {
    await worker.db.prepare("DELETE FROM merchants WHERE number > 1").run();
    await worker.db.prepare("DELETE FROM streams WHERE merchant > 1").run();
    await worker.db.prepare("UPDATE sqlite_sequence SET seq = 1 WHERE name = 'merchants'").run();
    expect(await makeTwo()).toEqual(expected);
  }
});

test("[MER-9] a number is passed over that partitions or rollups know, though no claim tells of it", async () => {
  const row = rowOf({ bucket: today, seen: { pageviews: 7 } });
  worker.live.push({ ...row, merchant: 1 });
  await writeRollups(worker.db, [{ ...row, merchant: 2 }]);
  expect(await makeTwo()).toEqual([3, 4]);
});

/** D1 as it was, and what makes it so again. */
async function snapshot() {
  const { own } = await readEpochs({ directory: worker.directory, bucket: memoryArchive(worker.objects) });
  return () => worker.directory.prepare("UPDATE deployment SET epoch = ?").bind(own).run();
}

test("[MER-10] a directory of an earlier instant makes nothing that has a number, and takes up again where it is caught up", async () => {
  const shop = await make();
  const restore = await snapshot();
  await post(`/${shop.id}/streams`, { name: "app" });
  await restore();
  const tries: readonly (readonly [string, string, object?])[] = [
    ["POST", "", { name: "Shop", time_zone: "UTC", currency: "EUR" }],
    ["POST", `/${shop.id}/streams`, { name: "till" }],
    ["PUT", `/${shop.id}/rules`, { rules: { hostnames: ["shop.example"] } }],
    ["POST", `/${shop.id}/erasures`, { visitor_id: "anna" }],
    ["DELETE", `/${shop.id}`],
  ];
  const objects = worker.objects.size;
  const ask = async () => {
    const replies = [];
    for (const [method, path, body] of tries)
      replies.push(await worker.ask(method, `/api/v1/merchants${path}`, { token: ADMIN_TOKEN, body }));
    return replies;
  };
  for (const { status, body } of await ask()) {
    expect([status, body.error.code]).toEqual([409, "conflict"]);
    expect(body.error.message).toMatch(/restored to an earlier instant.*footfall recover directory/);
  }
  expect(worker.objects.size).toBe(objects);
  await catchUp({ directory: worker.directory, bucket: memoryArchive(worker.objects) });
  expect((await ask()).map(({ status }) => status)).toEqual([201, 201, 200, 202, 202]);
});

test("[MER-10] whoever dies while the epoch is raised leaves the directory ahead, never behind", async () => {
  for (const isAfter of [false, true]) {
    const { directory } = makeDatabases();
    await directory.prepare("INSERT INTO deployment (id, ledgers) VALUES (1, 1)").run();
    const bucket = memoryArchive();
    expect(await raiseEpoch({ directory, bucket })).toBe(true);
    const put = async (key: string, value: Uint8Array<ArrayBuffer> | string) => {
      if (isAfter) await bucket.put(key, value);
      throw new Error("killed");
    };
    await expect(raiseEpoch({ directory, bucket: { ...bucket, put } })).rejects.toThrow("killed");
    const { own, known } = await readEpochs({ directory, bucket });
    expect([own, known]).toEqual([2, isAfter ? 2 : 1]);
    expect(await raiseEpoch({ directory, bucket })).toBe(true);
  }
});

test("[MER-10] versions of rules and erasures get no number of before: D1 and its ledger restored", async () => {
  const { id } = await make();
  const change = (host: string) =>
    worker.ask("PUT", `/api/v1/merchants/${id}/rules`, { token: ADMIN_TOKEN, body: { rules: { hostnames: [host] } } });
  expect((await change("one.example")).body.version).toBe(1);
  await worker.db.prepare("UPDATE merchants SET rules = '[]', version = version + 1 WHERE number = 1").run();
  await worker.db.prepare("DELETE FROM rule_versions").run();
  expect((await change("two.example")).body.version).toBe(2);
  const erase = async (visitor: string) => {
    await post(`/${id}/erasures`, { visitor });
    return await worker.ledgers.all[0]?.prepare("SELECT max(number) AS number FROM erasures").first("number");
  };
  const first = await erase("0000000000000001");
  await worker.ledgers.all[0]?.prepare("DELETE FROM erasures").run();
  await worker.ledgers.all[0]?.prepare("UPDATE sqlite_sequence SET seq = 0 WHERE name = 'erasures'").run();
  expect([first, await erase("0000000000000002")]).toEqual([1, 2]);
  const records = [...worker.objects.keys()].filter((key) => key.startsWith("erasures/"));
  expect(records).toEqual(["erasures/ledger-0/0000000001.json", "erasures/ledger-0/0000000002.json"]);
});

test("[MER-9] an archive of merchants that neither D1 nor a claim knows: no merchant is made", async () => {
  worker.objects.set(bundleKey({ date: dateOf(today), partition: "pool-0", first: 1 }), new Uint8Array(4));
  const refused = await post("", { name: "Shop", time_zone: "UTC", currency: "EUR" });
  expect([refused.status, refused.body.error.code]).toEqual([409, "conflict"]);
  expect(refused.body.error.message).toMatch(/merchants that this database does not know/);
  // The way out that docs/security.md tells of: a claim that is put by hand.
  worker.objects.set(claimKey(MERCHANTS, 41), new Uint8Array());
  expect(await makeTwo()).toEqual([42, 43]);
});

test("[MER-9] an erased merchant's number is not given again", async () => {
  const { id } = await make();
  await worker.ask("DELETE", `/api/v1/merchants/${id}`, { token: ADMIN_TOKEN });
  expect(numberOf(await make())).toBe(2);
});

test("[MER-9] a stream's number is not given again: D1 restored, or the stream gone", async () => {
  const { id } = await make();
  const stream = async () => (await post(`/${id}/streams`, { name: "app" })).body.number;
  expect([await stream(), await stream()]).toEqual([2, 3]);
  await worker.db.prepare("DELETE FROM streams WHERE number > 1").run();
  expect([await stream(), await stream()]).toEqual([4, 5]);
});

test("[MER-9] of many claims at once each gets its own number; the last number is the last", async () => {
  const claims = { bucket: memoryArchive(worker.objects) };
  const streams = streamsOf(7);
  const given = await Promise.all(Array.from({ length: 20 }, () => claimNumber(streams, 1, claims)));
  expect(new Set(given).size).toBe(20);
  expect(await highestClaim(streams, claims)).toBe(21);
  expect(await claimNumber(streams, STREAM_NUMBER_MAX, claims)).toBe("full");
  expect(await highestClaim(streamsOf(8), claims)).toBe(undefined);
});

test("[MER-9] numbers from before there were claims are claimed by the cron, before any restore", async () => {
  const claims = { bucket: memoryArchive(worker.objects) };
  await claimKnown(MERCHANTS, 900, claims);
  await claimKnown(MERCHANTS, 900, claims);
  await claimKnown(MERCHANTS, 12, claims);
  expect([...worker.objects.keys()]).toEqual([claimKey(MERCHANTS, 900)]);
  expect(numberOf(await make())).toBe(901);
});

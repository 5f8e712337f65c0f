// Poison in the queues of a real runtime: messages that nobody can handle, in the same batches as good ones. Then the
// way back: letters whose cause is gone are re-driven, again and again, and every event is counted once. Here a message
// dies after one retry; in production it has ten tries or more.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deadLetterKey } from "../../core/archive/object-key.ts";
import { BUNDLE_TEXT_BYTES_MAX, RETRY_MIN_MS } from "../../core/limits.ts";
import type { Overflow } from "../../core/overflow.ts";
import type { Redriven } from "../../core/redrive.ts";
import type { Runtime } from "../../scripts/runtime.ts";
import { packBundle } from "../../storage/archive/bundle-message.ts";
import { packOverflow } from "../../storage/overflow-message.ts";
import { bundleText, traffic } from "../support/archive-fixture.ts";
import { hideMerchants, showMerchants } from "../support/outage.ts";
import { overflowed } from "../support/overflowed.ts";
import { type Client, type Merchant, SECRETS, startServices, until } from "../support/services.ts";

const run = promisify(execFile);

let services: { runtime: Runtime; client: Client; stop: () => Promise<void> };
beforeAll(async () => {
  services = await startServices({}, { queueRetriesMax: 1 });
  await services.client.createMerchant(); // an archive of merchants that nobody knows would admit no new one
});
afterAll(() => services?.stop());

const gzip = (text: string) => new Uint8Array(gzipSync(text));
const GOOD_BUNDLES = [7_000, 8_000, 9_000].map((first) => ({
  partition: "pool-0",
  first,
  events: traffic({ count: 20, seed: first }),
}));
const POISONED_BUNDLES: Readonly<Record<string, Uint8Array>> = {
  "undecodable bytes": new Uint8Array([1, 2, 3]),
  nothing: new Uint8Array(0),
  "a truncated gzip": packBundle(bundleText(GOOD_BUNDLES[0] as (typeof GOOD_BUNDLES)[0])).slice(0, 300),
  "a bundle of a later version": gzip('{"version":99,"partition":"pool-0","first":1,"rows":[]}'),
  "a partition that is no name": packBundle(bundleText({ partition: "../x", first: 1, events: traffic({ count: 1 }) })),
  "a huge decompression": gzip("0".repeat(4 * BUNDLE_TEXT_BYTES_MAX)),
};
const POISONED_OVERFLOWS: Readonly<Record<string, Uint8Array>> = {
  "undecodable bytes": new Uint8Array(100).fill(7),
  "a message sealed by somebody else": sealed({ id: "poison", parts: [] }, "another secret"),
  "a message cut short": sealed({ id: "poison", parts: [] }).slice(0, 40),
};

describe("poisoned messages", () => {
  const letters = new Map<string, Uint8Array>();

  test("[DLQ-1] poisoned bundles never hold up the good ones of their batch, and end whole in R2", async () => {
    const producer = await services.runtime.miniflare.getQueueProducer<Uint8Array>(
      "ARCHIVE_QUEUE",
      "footfall-collector",
    );
    const good = GOOD_BUNDLES.map((bundle) => packBundle(bundleText(bundle)));
    const bodies = interleave(Object.values(POISONED_BUNDLES), good);
    await producer.sendBatch(bodies.map((body) => ({ body, contentType: "bytes" as const })));
    for (const body of Object.values(POISONED_BUNDLES)) letters.set(letterKey("footfall-archive", body), body);
    await untilLetters(letters.size);
    const bucket = await services.runtime.miniflare.getR2Bucket("BUCKET", "footfall-query");
    const archived = (await bucket.list({ prefix: "events/" })).objects;
    const dead = (await bucket.list({ prefix: "dead-letter/" })).objects;
    expect(archived).toHaveLength(GOOD_BUNDLES.length);
    const lastArchived = Math.max(...archived.map(({ uploaded }) => uploaded.getTime()));
    expect(lastArchived).toBeLessThan(Math.min(...dead.map(({ uploaded }) => uploaded.getTime())));
  });

  test("[DLQ-1] poisoned overflow messages never hold up the good ones of their batch", async () => {
    const { client, runtime } = services;
    const merchant = await client.createMerchant();
    const producer = await runtime.miniflare.getQueueProducer<Uint8Array>("OVERFLOW_QUEUE_0", "footfall-collector");
    const good = [1, 2, 3].map((index) => overflowed(merchant, `overflowed ${index}`));
    const bodies = interleave(Object.values(POISONED_OVERFLOWS), good);
    await producer.sendBatch(bodies.map((body) => ({ body, contentType: "bytes" as const })));
    for (const body of Object.values(POISONED_OVERFLOWS)) letters.set(letterKey("footfall-overflow", body), body);
    await until(
      () => eventsOf(merchant),
      (count) => count === 3,
    );
    await untilLetters(letters.size);
  });

  test("[DLQ-2] every dead letter is listed, and its bytes in R2 are those that were sent", async () => {
    const listed = await listLetters();
    expect(listed.map(({ key }) => key).sort()).toEqual([...letters.keys()].sort());
    const bucket = await services.runtime.miniflare.getR2Bucket("BUCKET", "footfall-query");
    for (const { key, bytes, queue } of listed) {
      const stored = new Uint8Array((await (await bucket.get(key))?.arrayBuffer()) ?? new ArrayBuffer());
      expect(Buffer.compare(stored, letters.get(key) as Uint8Array), key).toBe(0);
      expect([bytes, queue]).toEqual([stored.length, key.split("/")[1]]);
    }
  });

  test("[DLQ-3] re-driving poison says of each letter why it failed, page by page, and keeps it", async () => {
    const outcomes = await redriveAll();
    expect(outcomes.map(({ key }) => key).sort()).toEqual([...letters.keys()].sort());
    for (const outcome of outcomes) expect(outcome).toMatchObject({ outcome: "failed", reason: expect.any(String) });
    expect(await listLetters()).toHaveLength(letters.size);
  });

  test("[DLQ-3] the command line goes through all pages, too", async () => {
    const options = ["--json", "--query-url", services.client.queryUrl, "--admin-token", SECRETS.ADMIN_TOKEN];
    const script = join(import.meta.dirname, "../../scripts/footfall.ts");
    const { stdout } = await run(process.execPath, [script, ...options, "dead-letters", "redrive"]);
    expect((JSON.parse(stdout) as Redriven[]).map(({ key }) => key).sort()).toEqual([...letters.keys()].sort());
  });
});

describe("letters that have become good", () => {
  test("[DLQ-4] overflow letters of a database that could not be read are counted once, however often", async () => {
    const { client, runtime } = services;
    const merchant = await client.createMerchant();
    const before = (await listLetters()).length;
    const events = Array.from({ length: 6 }, (_, index) => ({ id: `late ${index}`, url: "https://shop.example/" }));
    await hideMerchants(runtime);
    // One after the other: what overflows in one moment is one message (OVF-9).
    for (const event of events)
      expect((await client.send({ tracking_id: merchant.tracking_id, ...event })).status).toBe(202);
    await untilLetters(before + events.length);
    await showMerchants(runtime);
    // Until then its partition does not ask again (PAR-23).
    await new Promise((resolve) => setTimeout(resolve, RETRY_MIN_MS));
    expect(await eventsOf(merchant)).toBe(0);
    await client.send({ tracking_id: merchant.tracking_id, events: events.slice(0, 3) }); // resent by an anxious client

    const bucket = await runtime.miniflare.getR2Bucket("BUCKET", "footfall-query");
    const copies = await copyLetters(bucket);
    const done = (await redriveAll()).filter(({ outcome }) => outcome === "done").map(({ key }) => key);
    expect(done).toHaveLength(events.length);
    expect(await eventsOf(merchant)).toBe(events.length);
    for (const key of done) await bucket.put(key, copies.get(key) as ArrayBuffer);
    expect((await redriveAll()).filter(({ outcome }) => outcome === "done")).toHaveLength(events.length);
    expect(await eventsOf(merchant)).toBe(events.length);
    expect(await listLetters()).toHaveLength(before);
  });

  test("[DLQ-5] one bundle is re-driven by its key: archived as it would have been, once; then it is gone", async () => {
    const { client, runtime } = services;
    const bundle = { partition: "pool-1", first: 77_000, events: traffic({ count: 20, seed: 5 }) };
    const body = packBundle(bundleText(bundle));
    const key = letterKey("footfall-archive", body);
    const bucket = await runtime.miniflare.getR2Bucket("BUCKET", "footfall-query");
    const objects: string[][] = [];
    for (let round = 0; round < 2; round++) {
      await bucket.put(key, body);
      const answer = await client.admin("POST", "/api/v1/dead-letters/redrive", { key });
      expect(answer).toEqual({ redriven: [{ key, outcome: "done" }], next: null });
      const { objects: listed } = await bucket.list({ prefix: "events/" });
      objects.push(listed.filter(({ key }) => key.includes("77000")).map(({ key, etag }) => `${key} ${etag}`));
    }
    expect(objects[0]).toHaveLength(1);
    expect(objects[1]).toEqual(objects[0]);
    await expect(client.admin("POST", "/api/v1/dead-letters/redrive", { key })).rejects.toThrow(/404/);
  });

  const REFUSED: readonly (readonly [body: object, code: string])[] = [
    [{ key: "events/date=2026-11-21/partition=pool-1/0000000077000.parquet" }, "invalid_field"],
    [{ key: "dead-letter/../events/x" }, "invalid_field"],
    [{ all: true }, "unknown_field"],
  ];
  test.each(REFUSED)("[DLQ-6] re-driving %j is refused: only dead letters can be", async (body, code) => {
    await expect(services.client.admin("POST", "/api/v1/dead-letters/redrive", body)).rejects.toThrow(code);
  });
});

interface Listed {
  readonly key: string;
  readonly queue: string;
  readonly bytes: number;
}

async function listLetters(): Promise<readonly Listed[]> {
  return ((await services.client.admin("GET", "/api/v1/dead-letters")) as { dead_letters: Listed[] }).dead_letters;
}

async function untilLetters(count: number): Promise<void> {
  await until(listLetters, (letters) => letters.length === count);
}

/** Page after page, as the command line does it. */
async function redriveAll(): Promise<readonly Redriven[]> {
  const outcomes: Redriven[] = [];
  let body = {};
  for (;;) {
    const answer = await services.client.admin("POST", "/api/v1/dead-letters/redrive", body);
    const { redriven, next } = answer as { redriven: Redriven[]; next: string | null };
    outcomes.push(...redriven);
    if (next === null) return outcomes;
    body = { after: next };
  }
}

async function copyLetters(bucket: Awaited<ReturnType<Runtime["miniflare"]["getR2Bucket"]>>) {
  const copies = new Map<string, ArrayBuffer>();
  for (const { key } of await listLetters()) {
    const letter = await bucket.get(key);
    if (letter !== null) copies.set(key, await letter.arrayBuffer());
  }
  return copies;
}

async function eventsOf(merchant: Merchant): Promise<unknown> {
  const { results } = await services.client.ask(merchant, { metrics: ["events"], date_range: "all" });
  return results[0]?.metrics[0];
}

function letterKey(queue: string, body: Uint8Array): string {
  return deadLetterKey({ queue, digest: createHash("sha256").update(body).digest("hex") });
}

function sealed(overflow: Overflow, secret = SECRETS.TRACKING_SECRET): Uint8Array {
  return packOverflow(overflow, secret) as Uint8Array;
}

/** Poison first, in between and last. */
function interleave(poison: readonly Uint8Array[], good: readonly Uint8Array[]): readonly Uint8Array[] {
  const rest = [...good];
  return poison.flatMap((body) => [body, ...rest.splice(0, 1)]);
}

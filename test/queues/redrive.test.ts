// Dead letters on their way back, on a bucket in memory: what leaves it, what stays, and what is asked of whom.

import { describe, expect, test } from "vitest";
import { DEAD_LETTERS_REDRIVEN_MAX } from "../../core/limits.ts";
import { zeroMeter } from "../../core/meter.ts";
import { storeDeadLetters } from "../../queues/dead-letter.ts";
import { type RedriveDeps, redriveLetter, redriveLetters } from "../../queues/redrive.ts";
import { batchOf, deliver, memoryBucket, memoryLog } from "../support/delivery.ts";

const QUEUE = "footfall-archive";

/** A bucket with a letter per body, and a handler that fails for those it is told of. */
async function world(bodies: readonly unknown[], fails: (text: string) => boolean = () => false) {
  const bucket = memoryBucket();
  const meter = zeroMeter();
  const deps = { bucket, now: () => 0, meter, log: memoryLog().log };
  await storeDeadLetters(batchOf(`${QUEUE}-dead-letter`, ...bodies.map((body, at) => deliver(`m${at}`, body))), deps);
  const handled: unknown[] = [];
  const handle = async (body: unknown) => {
    const seen = body instanceof ArrayBuffer ? new TextDecoder().decode(body) : body;
    handled.push(seen);
    if (fails(String(seen))) throw new Error("still poison");
  };
  const redrive: RedriveDeps = {
    bucket: {
      ...bucket,
      get: async (key) => letterOf(bucket, key),
      delete: async (key) => void bucket.objects.delete(key),
    },
    handlers: { [QUEUE]: handle },
  };
  return { objects: bucket.objects, handled, redrive };
}

function letterOf({ objects }: ReturnType<typeof memoryBucket>, key: string) {
  const object = objects.get(key);
  if (object === undefined) return null;
  return { customMetadata: object.customMetadata, arrayBuffer: async () => object.bytes.slice().buffer as ArrayBuffer };
}

const bytes = (text: string) => new TextEncoder().encode(text);

describe("re-driving dead letters", () => {
  test("[DLQ-3] what succeeds leaves R2, what fails stays and says why, and neither waits for the other", async () => {
    const { objects, redrive } = await world(["good", "bad", "fine"].map(bytes), (text) => text === "bad");
    const { redriven } = await redriveLetters(redrive);
    expect(redriven.map(({ outcome }) => outcome).sort()).toEqual(["done", "done", "failed"]);
    expect(redriven.find(({ outcome }) => outcome === "failed")).toMatchObject({ reason: "Error: still poison" });
    expect([...objects.values()].map((object) => new TextDecoder().decode(object.bytes))).toEqual(["bad"]);
  });

  test("[DLQ-3] a page is bounded, and the pages together are every letter once", async () => {
    const count = 3 * DEAD_LETTERS_REDRIVEN_MAX + 1;
    const { handled, redrive } = await world(
      Array.from({ length: count }, (_, index) => bytes(`letter ${index}`)),
      (text) => text.endsWith("3"),
    );
    const lengths: number[] = [];
    let after: string | undefined;
    do {
      const page = await redriveLetters(redrive, after);
      lengths.push(page.redriven.length);
      after = page.cursor;
    } while (after !== undefined);
    expect(lengths).toEqual([...Array(3).fill(DEAD_LETTERS_REDRIVEN_MAX), 1]);
    expect(new Set(handled).size).toBe(count);
    expect(handled).toHaveLength(count);
  });

  test("[DLQ-3] a letter that cannot be deleted after its success is reported as failed, and may be done again", async () => {
    const { objects, redrive, handled } = await world([bytes("good")]);
    const [key] = [...objects.keys()] as [string];
    const broken = { ...redrive, bucket: { ...redrive.bucket, delete: () => Promise.reject(new Error("R2 is down")) } };
    expect(await redriveLetter(key, broken)).toEqual({ key, outcome: "failed", reason: "Error: R2 is down" });
    expect(await redriveLetter(key, redrive)).toEqual({ key, outcome: "done" });
    expect(handled).toEqual(["good", "good"]);
  });

  test("[DLQ-3] a body that was no bytes comes back as what it was", async () => {
    const { handled, redrive } = await world([{ some: "thing" }]);
    await redriveLetters(redrive);
    expect(handled).toEqual([{ some: "thing" }]);
  });

  test("[DLQ-6] nothing else in the bucket can be named, and a queue nobody handles keeps its letters", async () => {
    const { objects, redrive, handled } = await world([bytes("good")]);
    const stranger = `dead-letter/constructor/${"0".repeat(64)}`;
    for (const key of ["events/date=2026-11-21/partition=pool-0/0000000000001.parquet", stranger]) {
      objects.set(key, { bytes: bytes("kept"), customMetadata: {} });
    }
    expect(await redriveLetter("events/date=2026-11-21/partition=pool-0/0000000000001.parquet", redrive)).toBe(
      undefined,
    );
    expect(await redriveLetter(`dead-letter/${QUEUE}/${"f".repeat(64)}`, redrive)).toBe(undefined);
    expect(await redriveLetter(stranger, redrive)).toMatchObject({ outcome: "failed" });
    expect(objects.size).toBe(3);
    expect(handled).toEqual([]);
  });
});

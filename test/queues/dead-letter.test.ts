// Dead letters are kept whole, once each, and can be listed.

import { describe, expect, test } from "vitest";
import { zeroMeter } from "../../core/meter.ts";
import { storeDeadLetters } from "../../queues/dead-letter.ts";
import { listDeadLetters } from "../../storage/dead-letter.ts";
import { meteredR2 } from "../../storage/metered.ts";
import { batchOf, deliver, memoryBucket, memoryLog } from "../support/delivery.ts";

const QUEUE = "footfall-archive-dead-letter";
const NOW = Date.parse("2026-11-21T12:00:00Z");

function world(failing?: () => boolean) {
  const bucket = memoryBucket(failing);
  const { lines, log } = memoryLog();
  const meter = zeroMeter();
  const metered = meteredR2(bucket as unknown as R2Bucket, meter);
  return { bucket, lines, deps: { bucket: metered, now: () => NOW, meter, log } };
}

describe("the dead-letter consumer", () => {
  test("[ARC-20] keeps a body whole, raises the alert and acknowledges", async () => {
    const { bucket, lines, deps } = world();
    const message = deliver("m1", new Uint8Array([0, 255, 7]));
    await storeDeadLetters(batchOf(QUEUE, message), deps);
    const [[key, letter] = []] = [...bucket.objects];
    expect(key).toMatch(/^dead-letter\/footfall-archive\/[0-9a-f]{64}$/);
    expect(letter).toEqual({
      bytes: new Uint8Array([0, 255, 7]),
      customMetadata: {
        queue: "footfall-archive",
        message: "m1",
        encoding: "bytes",
        stored_at: "2026-11-21T12:00:00.000Z",
      },
    });
    expect(lines).toEqual([{ event: "dead_letter", queue: "footfall-archive", message: "m1", key, bytes: 3 }]);
    expect(message.end()).toBe("acknowledged");
    expect(deps.meter).toMatchObject({ queue_operations: 2, r2_class_a: 1 });
  });

  test("[ARC-20] a bundle that dies again takes no second place", async () => {
    const { bucket, deps } = world();
    const body = () => new Uint8Array([1, 2, 3]);
    await storeDeadLetters(batchOf(QUEUE, deliver("m1", body()), deliver("m2", body())), deps);
    expect(bucket.objects.size).toBe(1);
    expect([...bucket.objects.values()][0]?.customMetadata["message"]).toBe("m2");
  });

  test.each([
    ["a text", "hello", '"hello"'],
    ["an object", { a: 1 }, '{"a":1}'],
    ["nothing", undefined, "null"],
  ])("[ARC-20] keeps %s that somebody else sent as JSON", async (_what, body, json) => {
    const { bucket, deps } = world();
    await storeDeadLetters(batchOf(QUEUE, deliver("m1", body)), deps);
    const [letter] = bucket.objects.values();
    expect(new TextDecoder().decode(letter?.bytes)).toBe(json);
    expect(letter?.customMetadata["encoding"]).toBe("json");
  });

  test("[ARC-20] a letter that cannot be stored is retried, its neighbour is stored", async () => {
    let puts = 0;
    const { bucket, lines, deps } = world(() => puts++ === 0);
    const [first, second] = [deliver("m1", new Uint8Array([1]), 3), deliver("m2", new Uint8Array([2]))];
    await storeDeadLetters(batchOf(QUEUE, first, second), deps);
    expect(first.end()).toEqual({ retriedAfterSeconds: 4 });
    expect(second.end()).toBe("acknowledged");
    expect(bucket.objects.size).toBe(1);
    expect(lines).toMatchObject([{ event: "message_failed", message: "m1" }, { event: "dead_letter" }]);
  });
});

describe("the list of dead letters", () => {
  test("[ARC-21] comes page by page, every letter once", async () => {
    const { bucket, deps } = world();
    const messages = Array.from({ length: 230 }, (_, index) => deliver(`m${index}`, `letter ${index}`));
    await storeDeadLetters(batchOf(QUEUE, ...messages), deps);
    const pages: number[] = [];
    const keys = new Set<string>();
    let cursor: string | undefined;
    do {
      const page = await listDeadLetters(bucket, cursor);
      pages.push(page.letters.length);
      for (const letter of page.letters) keys.add(letter.key);
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(pages).toEqual([100, 100, 30]);
    expect(keys.size).toBe(230);
  });

  test("[ARC-21] says of each letter where it came from, when, and how large it is", async () => {
    const { bucket, deps } = world();
    await storeDeadLetters(batchOf(QUEUE, deliver("m1", new Uint8Array(9))), deps);
    const { letters } = await listDeadLetters(bucket);
    expect(letters).toMatchObject([
      { queue: "footfall-archive", message: "m1", storedAt: "2026-11-21T12:00:00.000Z", bytes: 9 },
    ]);
  });
});

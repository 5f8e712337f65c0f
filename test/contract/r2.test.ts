// What Footfall relies on of R2, tried on workerd's R2 and on the bucket in memory that tests use in its place.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { BundledWorker } from "../support/bundled-worker.ts";
import { memoryArchive } from "../support/memory-bucket.ts";
import { startPlatform } from "./platform.ts";

let platform: BundledWorker;
beforeAll(async () => {
  platform = await startPlatform();
}, 60_000);
afterAll(() => platform?.stop());

const SIDES: readonly (readonly [string, () => Promise<R2Bucket>])[] = [
  ["a bucket in memory in its place", async () => memoryArchive() as unknown as R2Bucket],
  ["R2 of workerd", async () => (await platform.runtime.getR2Bucket("BUCKET", "bundled")) as unknown as R2Bucket],
];
const KEYS = ["a/2", "a/1", "b", "a/é", "a/z", "a/😀", "a/\uffff", "c/1/x", "c/2/y", "c/2/z", "c/0"];

describe.each(SIDES)("%s", (_, open) => {
  let bucket: R2Bucket;
  const text = async (key: string, range?: { offset: number; length: number }) => {
    const object = await bucket.get(key, range === undefined ? {} : { range });
    return object === null ? null : new TextDecoder().decode(await object.arrayBuffer());
  };
  const keys = async (options: R2ListOptions) => (await bucket.list(options)).objects.map(({ key }) => key);

  beforeEach(async () => {
    bucket = await open();
    await bucket.delete((await bucket.list({ prefix: "" })).objects.map(({ key }) => key));
    for (const key of KEYS) await bucket.put(key, key, { customMetadata: { note: `of ${key}` } });
  });

  test("[CTR-7] what was put last is got: whole, a range of it, and what of a range there is", async () => {
    await bucket.put("b", new TextEncoder().encode("twice"));
    expect(await text("b")).toBe("twice");
    expect(await text("b", { offset: 1, length: 3 })).toBe("wic");
    expect(await text("b", { offset: 3, length: 99 })).toBe("ce");
  });

  test("[CTR-7] a range that begins behind the end, or of nothing, is an error", async () => {
    await expect(text("b", { offset: 1, length: 0 })).rejects.toThrow();
    await expect(text("b", { offset: 5, length: 1 })).rejects.toThrow();
  });

  test("[CTR-7] an absent object is null, also by a range, and deleting it is no error", async () => {
    expect(await text("absent")).toBeNull();
    expect(await text("absent", { offset: 0, length: 1 })).toBeNull();
    await bucket.delete(["absent", "b"]);
    await bucket.delete([]);
    expect(await text("b")).toBeNull();
  });

  test("[CTR-7] what the writer does with its bytes afterwards changes nothing", async () => {
    const bytes = new Uint8Array([1, 2, 3]);
    await bucket.put("bytes", bytes);
    bytes.fill(9);
    expect([...new Uint8Array((await (await bucket.get("bytes"))?.arrayBuffer()) ?? new ArrayBuffer())]).toEqual([
      1, 2, 3,
    ]);
  });

  test("[CTR-8] a put that asks for an absent object writes one that is absent, and leaves another as it is", async () => {
    const once = { onlyIf: { etagDoesNotMatch: "*" } };
    expect(await bucket.put("b", "other", once)).toBeNull();
    expect(await text("b")).toBe("b");
    expect(await bucket.put("new", "first", once)).not.toBeNull();
    expect(await text("new")).toBe("first");
  });

  test("[CTR-9] a listing has keys in the order of their bytes, with sizes in bytes", async () => {
    expect((await bucket.list({ prefix: "a/" })).objects.map(({ key, size }) => [key, size])).toEqual([
      ["a/1", 3],
      ["a/2", 3],
      ["a/z", 3],
      ["a/é", 4],
      ["a/\uffff", 5],
      ["a/😀", 6],
    ]);
  });

  test("[CTR-9] pages, one after the other, are the listing; the last one says that it is the last", async () => {
    const found: string[] = [];
    let pages = 0;
    for (let cursor: string | undefined; ; ) {
      const page = await bucket.list({ prefix: "a/", limit: 4, ...(cursor === undefined ? {} : { cursor }) });
      found.push(...page.objects.map(({ key }) => key));
      pages += 1;
      if (!page.truncated) break;
      cursor = page.cursor;
    }
    expect([pages, found]).toEqual([2, await keys({ prefix: "a/" })]);
  });

  test("[CTR-9] a page whose limit is just what there is says that it is the last", async () => {
    expect(await bucket.list({ prefix: "c/", limit: 4 })).toMatchObject({ truncated: false });
  });

  test("[CTR-9] with a delimiter a folder is told once, and counts as one of a page", async () => {
    const { objects, delimitedPrefixes } = await bucket.list({ prefix: "c/", delimiter: "/" });
    expect([objects.map(({ key }) => key), delimitedPrefixes]).toEqual([["c/0"], ["c/1/", "c/2/"]]);
    const first = await bucket.list({ prefix: "c/", delimiter: "/", limit: 2 });
    expect([first.objects.map(({ key }) => key), first.delimitedPrefixes, first.truncated]).toEqual([
      ["c/0"],
      ["c/1/"],
      true,
    ]);
    const cursor = first.truncated ? first.cursor : "";
    const second = await bucket.list({ prefix: "c/", delimiter: "/", limit: 2, cursor });
    expect([second.objects, second.delimitedPrefixes, second.truncated]).toEqual([[], ["c/2/"], false]);
  });

  test("[CTR-9] what is noted beside an object is told where it is asked for", async () => {
    const [noted] = (await bucket.list({ prefix: "b", include: ["customMetadata"] })).objects;
    expect(noted?.customMetadata).toEqual({ note: "of b" });
    const [bare] = (await bucket.list({ prefix: "b" })).objects;
    expect(bare?.customMetadata ?? {}).toEqual({});
  });

  test("[CTR-9] a new put takes the note of the one before with it", async () => {
    await bucket.put("b", "without");
    const [noted] = (await bucket.list({ prefix: "b", include: ["customMetadata"] })).objects;
    expect(noted?.customMetadata ?? {}).toEqual({});
  });
});

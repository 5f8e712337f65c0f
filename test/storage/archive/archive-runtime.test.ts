// The archive's codecs in workerd itself. It has its own zlib: what passes on Node may throw there
// (storage/archive/gzip.ts).

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LoggedEvent } from "../../../core/archive/bundle.ts";
import { filesOf } from "../../../core/archive/file.ts";
import { BUNDLE_BYTES, BUNDLE_MESSAGE_BYTES_MAX } from "../../../core/limits.ts";
import { readParquet } from "../../../storage/archive/parquet.ts";
import { bundleText, randomOf, traffic } from "../../support/archive-fixture.ts";
import { type BundledWorker, startBundled } from "../../support/bundled-worker.ts";

let worker: BundledWorker;

beforeAll(async () => {
  worker = await startBundled("archive-worker.ts");
}, 30_000);
afterAll(() => worker?.stop());

/** Events whose titles no compression shortens by much. */
function incompressible(events: readonly LoggedEvent[]): LoggedEvent[] {
  const random = randomOf(5);
  const title = () => Array.from({ length: 300 }, () => String.fromCharCode(0x4e00 + random() * 0x5000)).join("");
  return events.map(({ event, ...rest }) => ({ ...rest, event: { ...event, title: title() } }));
}

describe("the archive in workerd", () => {
  test.each([
    ["an ordinary full bundle", traffic({ count: 1_200 })],
    ["one event", traffic({ count: 1 })],
    ["titles that cannot be compressed", incompressible(traffic({ count: 640 }))],
  ])("[ARC-22] %s is packed, unpacked, written and read as on Node", async (_what, events) => {
    const bundle = { partition: "pool-3", first: 1001, events };
    const text = bundleText(bundle);
    expect(text.length).toBeLessThan(BUNDLE_BYTES);
    const response = await fetch(worker.address, { method: "POST", body: text });
    expect(response.status).toBe(200);
    const written = await readParquet(new Uint8Array(await response.arrayBuffer()));
    expect(written).toEqual(filesOf(bundle)[0]);
  });

  test("[ARC-22] a full bundle of ordinary events fits its queue message", async () => {
    const text = bundleText({ partition: "pool-3", first: 1001, events: traffic({ count: 1_200 }) });
    const response = await fetch(worker.address, { method: "POST", body: text });
    expect(Number(response.headers.get("x-message-bytes"))).toBeLessThan(BUNDLE_MESSAGE_BYTES_MAX);
  });
});

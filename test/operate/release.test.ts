// What the release before has sent is read by this one, and what it has made is not made otherwise.

import { expect, test } from "vitest";
import { decodePart } from "../../core/counting/replay-part.ts";
import { decodeEvent, encodeEvent, isEventRow } from "../../core/event.ts";
import { decodeArrivals } from "../../core/overflow.ts";
import { decodeQuestionPart } from "../../core/query/job.ts";
import { unpackBundle } from "../../storage/archive/bundle-message.ts";
import { unpackOverflow } from "../../storage/overflow-message.ts";
import { MIGRATION_FOLDERS, migrationsOf, releaseBefore, TODAY } from "../support/release.ts";
import { WAITING_DAY, WAITING_EVENTS, WAITING_SECRET } from "../support/waiting-message.ts";

test("[DPL-6] messages of the release before, which may wait for 14 days, say the same", async () => {
  const { messages } = await releaseBefore();
  const bytes = (text: string) => new Uint8Array(Buffer.from(text, "base64"));
  const bundle = unpackBundle(bytes(messages.archive));
  expect(bundle).toMatchObject({ partition: "pool-0", first: 1 });
  expect(bundle.events.map(({ event, day, late }) => [event.id, day, late])).toEqual([
    ["waiting 1", WAITING_DAY, false],
    ["waiting 2", WAITING_DAY, false],
  ]);
  // Fields that were added since are not known of them.
  for (const [index, { event }] of bundle.events.entries()) expect(event).toMatchObject(knownOf(WAITING_EVENTS[index]));
  const overflow = unpackOverflow(bytes(messages.overflow), [WAITING_SECRET]);
  expect(overflow.parts.map(({ partition, arrivals }) => [partition, arrivals.map(({ event }) => event.id)])).toEqual([
    ["pool-0", ["waiting 1", "waiting 2"]],
  ]);
  expect(decodeArrivals(messages.append).map(({ event }) => event.id)).toEqual(["waiting 1", "waiting 2"]);
  expect(decodePart(messages.replay)).toEqual({ job: "rpl_1", day: WAITING_DAY, partition: "pool-0" });
  expect(decodeQuestionPart(messages.question)).toEqual({ job: "qst_1", part: 0, merchant: 1 });
  expect(messages.seal).toEqual({ day: WAITING_DAY, partition: "pool-0" });
});

/** Of an event, what a release before fields were added has said: all that it set. */
function knownOf(event: object | undefined): object {
  return Object.fromEntries(Object.entries(event ?? {}).filter(([, value]) => value !== "" && value !== 0));
}

test("[DPL-6] a row of a release that was rolled back is counted without what is not known, and not archived so", () => {
  const [event = raise()] = WAITING_EVENTS.slice(1);
  const later = [...encodeEvent(event), "a field of the next release"];
  expect(decodeEvent(later)).toEqual(event);
  expect(isEventRow(encodeEvent(event))).toBe(true);
  expect(isEventRow(later)).toBe(false);
});

function raise(): never {
  throw new Error("there is an event");
}

test.each(MIGRATION_FOLDERS)("[DPL-5] a migration that was released stays as it is: %s", async (folder) => {
  const before = await releaseBefore();
  const today = migrationsOf(TODAY, folder);
  const released = migrationsOf(before, folder);
  expect([...released.keys()].length).toBeGreaterThan(0);
  for (const [file, text] of released) expect([file, today.get(file)]).toEqual([file, text]);
});

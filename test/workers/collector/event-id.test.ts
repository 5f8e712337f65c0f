// Ids that events get at the edge are UUIDs of version 7, as every reader of such ids spells them.

import { UUID } from "uuidv7";
import { expect, test } from "vitest";
import { newEventId } from "../../../workers/collector/event-id.ts";

test("[DUP-4] an event that came without an id gets a UUID of version 7 of its time", () => {
  const before = Date.now();
  const ids = Array.from({ length: 1_000 }, newEventId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(UUID.parse(id).toString()).toBe(id);
    const time = Number.parseInt(id.replace("-", "").slice(0, 12), 16);
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThan(before + 60_000);
  }
});

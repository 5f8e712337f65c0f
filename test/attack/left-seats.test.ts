// A guest asks, waits for the one seat that an isolate has for guests, and leaves as soon as the question counts. The
// seat is free again after a while. Guests of other shops come next, however many links the first shop has.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LINE_OF_GUESTS_MAX, TURN_LEASE_MS } from "../../core/limits.ts";
import { Lines, OF_GUESTS } from "../../workers/query/line.ts";
import { PurseMemory } from "../../workers/query/purse-memory.ts";
import { Reading } from "../../workers/query/reading.ts";
import { inTurn, Turn, TurnMemory } from "../../workers/query/turn.ts";

const NOW = Date.UTC(2027, 0, 10);
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date", "setTimeout"], now: NOW }));
afterEach(() => void vi.useRealTimers());

function guest(turns: TurnMemory, asker: string, merchant: number) {
  const purses = new PurseMemory().of({ asker, merchant, isShared: true }, NOW);
  return { turns, now: () => Date.now(), reading: new Reading(purses, { isShared: true, asker, merchant }) };
}

test("[LIM-12] guests who leave while their questions count keep the seat from no guest of another shop", async () => {
  const turns = new TurnMemory();
  let sent = 0;
  const leave = () => void new Turn(guest(turns, `link ${sent++ % 6}`, 1)).begin();
  const answered: boolean[] = [];
  leave();
  await vi.advanceTimersByTimeAsync(100);
  leave(); // one always waits already
  let [next, honestAt, isWaiting] = [Date.now() + 200, NOW + 1_000, false];
  while (Date.now() < NOW + 120_000) {
    await vi.advanceTimersByTimeAsync(100);
    if (Date.now() >= next) {
      leave();
      next += TURN_LEASE_MS + 40;
    }
    if (isWaiting || Date.now() < honestAt) continue;
    isWaiting = true;
    void inTurn(guest(turns, "honest", 2), async () => true).then((done) => {
      answered.push(done === true);
      [isWaiting, honestAt] = [false, Date.now() + 500];
    });
  }
  expect(answered.length).toBeGreaterThan(10);
  expect(answered).not.toContain(false);
});

test("[LIM-12] the requests about one merchant are no more than half of the line", () => {
  const lines = new Lines(OF_GUESTS);
  const places = Array.from({ length: LINE_OF_GUESTS_MAX }, (_, at) =>
    lines.stand({}, { line: "guests", asker: `link ${at % 9}`, merchant: 1 }, NOW),
  );
  expect(places.filter((place) => place !== "full")).toHaveLength(LINE_OF_GUESTS_MAX / 2);
  expect(lines.stand({}, { line: "guests", asker: "other", merchant: 2 }, NOW)).toBe("waiting");
});

// What proves a merchant's numbers, while Days are open, sealed, late, spoilt and replayed: everything that came is there, once, and stands
// somewhere; and where rollups are wrong it says so.

import { expect, test } from "vitest";
import { DAY_MS, dateOf } from "../../core/time.ts";
import { enter, STAGES } from "./tell.ts";
import { DAYS, storyOf } from "./traffic.ts";
import { AnswersWorld } from "./world.ts";

test("[PRF-1] [PRF-2] what was received is counted or dropped, and questions say the same", async () => {
  const story = storyOf(3, []);
  const world = new AnswersWorld(story);
  const first = Math.floor(story.start / DAY_MS);
  const range = { from: first - 2, to: first + DAYS + 2 };
  const states = new Set<string>();
  for (const stage of STAGES) {
    await enter(stage, story, world);
    for (const { merchant } of story.merchants) {
      const proof = await world.proof(merchant, range);
      const came = world.stored.filter(({ told }) => told.merchant === merchant);
      expect(proof.adds_up, stage).toBe(true);
      expect(proof.received, stage).toBe(came.length);
      const dropped = Object.values(proof.dropped).reduce((sum, count) => sum + count, 0);
      expect(proof.counted + dropped + proof.outside_visits).toBe(proof.received);
      expect(
        proof.days.flatMap(({ differences }) => differences),
        `${stage} ${merchant}`,
      ).toEqual([]);
      for (const { state } of proof.days) states.add(state);
      if (stage !== "closed") continue;
      const sealed = proof.days.filter(({ received }) => received > 0);
      expect(sealed.every(({ state, seals }) => state === "sealed" && seals.length > 0)).toBe(true);
      const rows = sealed.flatMap(({ seals }) => seals.map((seal) => seal.rows)).reduce((sum, count) => sum + count, 0);
      expect(rows).toBe(proof.received);
      expect(sealed.every(({ seals }) => seals.every(({ checksum }) => /^[0-9a-f]{64}$/.test(checksum ?? "")))).toBe(
        true,
      );
    }
  }
  expect(states).toContain("open");
  world.spoilRollups();
  const [{ merchant }] = story.merchants as [(typeof story.merchants)[number]];
  const spoilt = await world.proof(merchant, range);
  expect([spoilt.adds_up, spoilt.differences > 0]).toEqual([true, true]);
  const [wrong] = spoilt.days.flatMap(({ date, differences }) => (differences.length > 0 ? [date] : []));
  expect(wrong).toBe(dateOf(Date.parse(`${wrong}T00:00:00Z`) / DAY_MS));
});

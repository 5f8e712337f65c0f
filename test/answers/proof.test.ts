// What proves a merchant's numbers, while Days are open, sealed, late and replayed: everything that came stands
// somewhere, as a model says that counts on its own; and where rollups are wrong it is told.

import { expect, test } from "vitest";
import { partitionsOf } from "../../core/counting/placement.ts";
import { DAY_MS } from "../../core/time.ts";
import { viewOf } from "./model.ts";
import { enter, STAGES } from "./tell.ts";
import { DAYS, storyOf } from "./traffic.ts";
import { AnswersWorld, POOL_SIZE } from "./world.ts";

/** The first story in which two merchants of the pool are in one partition, and so in one file. */
function storyWithShared() {
  for (let seed = 1; ; seed++) {
    const story = storyOf(seed, []);
    const own = story.merchants.filter(({ spread }) => spread === "pool");
    const names = own.map(({ merchant }) => partitionsOf({ merchant }, { poolSize: POOL_SIZE, regions: [] })[0]);
    if (new Set(names).size < names.length) return story;
  }
}

test("[PRF-1] [PRF-2] [PRF-3] [PRF-4] what was received is counted or dropped, questions say the same, and seals tell of own rows", async () => {
  const story = storyWithShared();
  const world = new AnswersWorld(story);
  const first = Math.floor(story.start / DAY_MS);
  const range = { from: first - 2, to: first + DAYS + 2 };
  const states = new Set<string>();
  const holders = new Map<string, number[]>();
  for (const stage of STAGES) {
    await enter(stage, story, world);
    for (const { merchant, zone } of story.merchants) {
      const proof = await world.proof(merchant, range);
      const which = `${stage}, merchant ${merchant}`;
      const came = world.stored.filter(({ told }) => told.merchant === merchant);
      const { seen, drops, idle } = viewOf(came, { zone, rates: story.rates });
      const all = seen.length + drops.length + idle.length;
      expect([proof.received, proof.counted, proof.outside_visits], which).toEqual([all, seen.length, idle.length]);
      const byReason = Object.entries(Object.groupBy(drops, ({ reason }) => reason));
      expect(proof.dropped, which).toEqual(Object.fromEntries(byReason.map(([reason, own]) => [reason, own?.length])));
      expect(proof.adds_up, which).toBe(true);
      const lists = Object.entries(proof.left_out).flatMap(([reason, own]) =>
        Object.values(own).map(({ named, others }) => [
          reason,
          named.reduce((sum, { events }) => sum + events, 0) + others,
        ]),
      );
      const sums = Object.entries(proof.dropped).flatMap((one) => Array.from({ length: 4 }, () => one));
      expect(lists.toSorted(), which).toEqual(sums.toSorted());
      const differing = proof.days.filter(({ differences }) => differences.length > 0);
      expect(differing, which).toEqual([]);
      for (const { state } of proof.days) states.add(state);
      if (stage !== "closed") continue;
      const sealed = proof.days.filter(({ received }) => received > 0);
      expect(sealed.map(({ state }) => state)).toEqual(sealed.map(() => "sealed"));
      const seals = sealed.flatMap((day) => day.seals);
      for (const { manifest, checksum } of seals) {
        holders.set(manifest, [...(holders.get(manifest) ?? []), merchant]);
        expect(checksum).toMatch(/^[0-9a-f]{64}$/);
        // The rest of its name says how many events all merchants had, and which erasures.
        expect(manifest).toMatch(/^sealed\/date=[0-9-]{10}\/partition=[^/]+\/generation=\d+$/);
      }
      // Files are shared; what is told of them is this merchant's.
      expect(seals.reduce((sum, { rows }) => sum + rows, 0)).toBe(proof.received);
    }
  }
  expect(states).toContain("open");
  expect([...holders.values()].some(({ length }) => length > 1)).toBe(true);
  await world.spoilRollups();
  const [{ merchant }] = story.merchants as [(typeof story.merchants)[number]];
  const spoilt = await world.proof(merchant, range);
  expect([spoilt.adds_up, spoilt.differences > 0]).toEqual([true, true]);
});

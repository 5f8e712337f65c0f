// What is asked together has the answers that each question has alone, to the byte: random questions and reports about
// random traffic, while Days are open, sealed, late and replayed.

import { expect, test } from "vitest";
import type { BatchKind } from "../../core/query/batch.ts";
import { seededRandom } from "../support/random.ts";
import { questionOf, randomReport } from "./question.ts";
import { enter, STAGES } from "./tell.ts";
import { storyOf } from "./traffic.ts";
import { AnswersWorld } from "./world.ts";

const QUESTIONS = 8;

test.for([1, 2])("[BAT-2] what is asked together is answered as alone, to the byte (story %i)", async (seed) => {
  const random = seededRandom(seed ^ 0xba7c4);
  const story = storyOf(seed, []);
  const world = new AnswersWorld(story);
  await world.publishRates(story.rates);
  let counted = 0;
  for (const stage of STAGES) {
    await enter(stage, story, world);
    for (const { merchant, zone } of story.merchants) {
      const context = { zone, start: story.start, without: [] };
      const questions = Array.from({ length: QUESTIONS }, () => ({
        kind: "query" as BatchKind,
        body: questionOf(random, context),
      }));
      // As on a dashboard: several of one range and filter, and others.
      const [{ body: first }] = questions as [(typeof questions)[number]];
      const alike = questions.slice(1, 4).map(({ body }) => ({
        kind: "query" as BatchKind,
        body: { ...body, date_range: first.date_range, filters: [["is", "visit:device", ["Desktop"]]], include: {} },
      }));
      const asked = [...questions, ...alike, randomReport(random, context), randomReport(random, context)];
      const alone = await world.texts(merchant, asked, "alone");
      const together = await world.texts(merchant, asked, "together");
      for (const [index, text] of together.entries())
        expect(text, `${stage} ${JSON.stringify(asked[index])}`).toBe(alone[index]);
      counted += alone.filter((text) => text.includes('"from":"archive"')).length;
    }
  }
  expect(counted).toBeGreaterThan(STAGES.length);
});

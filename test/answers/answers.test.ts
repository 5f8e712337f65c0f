// The property test of answers: what a few shops' visitors did in some Days (traffic.ts), told to the product as it
// came (world.ts, tell.ts), and random questions about it (question.ts), answered by the product and by a model that
// knows nothing of how the product counts (model.ts). Without options it tells some fixed stories, for three
// quarters of a minute at most.
//
//   SEED=7              tells one story alone              QUESTIONS=50         asks more of each
//   SEEDS=100-200       tells these                        WITHOUT=prefetch     leaves kinds of traffic out
//   ANSWERS_MS=3600000  tells as many as fit an hour

import { expect, test } from "vitest";
import { shrink, wordsOf } from "./shrink.ts";
import { type Difference, type Telling, tell } from "./tell.ts";
import { FEATURES, storyOf } from "./traffic.ts";

const { SEED, SEEDS = "", WITHOUT = "", QUESTIONS = "10", ANSWERS_MS } = process.env;
const without = FEATURES.filter((feature) => WITHOUT.split(",").includes(feature));
const budgetMs = Number(ANSWERS_MS ?? 45_000);

test("[ANS-1] random questions about random traffic have the answers of a model that counts on its own", {
  timeout: budgetMs + 600_000,
}, async () => {
  const begun = Date.now();
  const statistics = { questions: 0, reports: 0, rollups: 0, archive: 0, both: 0 };
  let stories = 0;
  for (const seed of seedsOf()) {
    if (Date.now() - begun > budgetMs) break;
    const telling = { seed, without, questions: Number(QUESTIONS), statistics };
    const found = await tell(storyOf(seed, without), telling).catch((error: Error) => failed(seed, error));
    if (found !== undefined) expect.fail(await explain(found, telling));
    stories += 1;
  }
  console.log(`answers: ${stories} stories, asked ${JSON.stringify(statistics)}`);
  expect(stories).toBeGreaterThan(0);
});

function* seedsOf(): Generator<number> {
  const [from = 1, to = ANSWERS_MS === undefined ? 40 : 1_000_000] = SEEDS.split("-").filter(Boolean).map(Number);
  if (SEED !== undefined) return yield Number(SEED);
  for (let seed = from; seed <= to; seed++) yield seed;
}

function failed(seed: number, error: Error): never {
  throw new Error(`seed ${seed}: ${error.message}`, { cause: error });
}

/** The difference, how to see it again, and the smallest story found that still has it. */
async function explain(found: Difference, telling: Telling): Promise<string> {
  const { stage, merchant, asked, text } = found;
  const options = [`SEED=${telling.seed}`, ...(without.length > 0 ? [`WITHOUT=${without.join()}`] : [])].join(" ");
  const { story, difference } = await shrink(storyOf(telling.seed, without), found, telling);
  const zone = story.merchants.find((one) => one.merchant === merchant)?.zone;
  return `seed ${telling.seed}, merchant ${merchant}, Days ${stage}: ${JSON.stringify(asked)}
  ${text}
  again: ${options} npx vitest run test/answers
a smaller story, in ${zone}: ${difference.text}
${wordsOf(story)}`;
}

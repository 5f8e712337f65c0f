// The property test of answers: what a few shops' visitors did in some Days, told to the product as it came (traffic.ts), and
// random questions (question.ts) to the product (world.ts) and to a model that knows nothing of how the product counts (model.ts).
// Days are asked while they are open, when some are sealed, when late events have come for those, when a replay has put wrong
// rollups right, and when nothing is left but sealed files. Without options it runs some fixed seeds; `SEED=7` runs one alone,
// `SEEDS=100-200` a list, `ANSWERS_MS=3600000` as many as fit an hour, and `WITHOUT=prefetch,ties` leaves kinds of traffic out.

import { expect, test } from "vitest";
import { DAY_MS } from "../../core/time.ts";
import { seededRandom } from "../support/random.ts";
import { answerOf, type Body, localDate, type ModelSettings, type Rows, type View, viewOf } from "./model.ts";
import { questionOf } from "./question.ts";
import { DAYS, FEATURES, type Request, type Story, storyOf, type Told } from "./traffic.ts";
import { AnswersWorld } from "./world.ts";

const env = process.env;
const WITHOUT = FEATURES.filter((feature) => (env["WITHOUT"] ?? "").split(",").includes(feature));
const QUESTIONS = Number(env["QUESTIONS"] ?? 14);
const BUDGET_MS = Number(env["ANSWERS_MS"] ?? 45_000);
const HOUR_MS = 3_600_000;
const SHRINKS_MAX = 150;

test("[ANS-1] random questions about random traffic have the answers of a model that counts on its own", {
  timeout: BUDGET_MS + 300_000,
}, async () => {
  const begun = Date.now();
  const asked = { stories: 0, questions: 0, rollups: 0, archive: 0 };
  for (const seed of seedsOf()) {
    if (env["SEED"] === undefined && Date.now() - begun > BUDGET_MS) break;
    const found = await tell(storyOf(seed, WITHOUT), seed, asked);
    asked.stories += 1;
    if (found !== undefined) expect.fail(await report(seed, found));
  }
  console.log(`answers: ${JSON.stringify(asked)}`);
  expect(asked.questions).toBeGreaterThan(100);
});

function* seedsOf(): Generator<number> {
  if (env["SEED"] !== undefined) return yield Number(env["SEED"]);
  const [from = 1, to = env["ANSWERS_MS"] === undefined ? 40 : 1_000_000] = (env["SEEDS"] ?? "")
    .split("-")
    .filter(Boolean)
    .map(Number);
  for (let seed = from; seed <= to; seed++) yield seed;
}

interface Difference {
  readonly stage: Stage;
  readonly merchant: number;
  readonly body: Body;
  readonly text: string;
}

const STAGES = ["open", "sealed", "late", "replayed", "closed"] as const;
type Stage = (typeof STAGES)[number];

/** Plays a story to the world, and asks at each stage. Gives the first difference. */
async function tell(
  story: Story,
  seed: number,
  asked = { questions: 0, rollups: 0, archive: 0 },
  only?: Pick<Difference, "stage" | "merchant" | "body">,
): Promise<Difference | undefined> {
  const random = seededRandom(seed ^ 0x5eed);
  const world = new AnswersWorld(story);
  for (const stage of STAGES) {
    await enter(stage, story, world);
    const views = new Map<number, View>();
    for (const { merchant, zone } of story.merchants) {
      const own = world.stored.filter(({ told }) => told.merchant === merchant);
      views.set(merchant, viewOf(own, { zone }));
    }
    for (let turn = 0; turn < QUESTIONS; turn++) {
      for (const { merchant, zone } of story.merchants) {
        const context = { zone, start: story.start, without: WITHOUT };
        const body = questionOf(random, context);
        if (only !== undefined) continue;
        const difference = await compare(
          world,
          { merchant, body, view: views.get(merchant) as View, settings: { zone } },
          asked,
        );
        if (difference !== undefined) return { stage, merchant, body, text: difference };
      }
    }
    if (only === undefined) {
      const missing = await checkExport(story, world);
      if (missing !== undefined) return { stage, merchant: 0, body: NO_BODY, text: missing };
    }
    if (only?.stage !== stage) continue;
    const view = views.get(only.merchant) as View;
    const settings = { zone: world.zoneOf(only.merchant) };
    const text = await compare(world, { ...only, view, settings }, asked);
    return text === undefined ? undefined : { ...only, text };
  }
  return undefined;
}

const NO_BODY: Body = { metrics: [], dimensions: [], date_range: "day", filters: [] };

/** What happens before the questions of a stage. */
async function enter(stage: Stage, story: Story, world: AnswersWorld): Promise<void> {
  const first = Math.floor(story.start / DAY_MS);
  const half = story.start + 2 * DAY_MS - 2 * HOUR_MS;
  const end = story.start + DAYS * DAY_MS - 6 * HOUR_MS;
  if (stage === "open") return world.play(story.requests.filter(({ at }) => at < half));
  if (stage === "sealed") return world.play(story.requests.filter(({ at }) => at >= half));
  if (stage === "late") {
    await world.settle(end + HOUR_MS);
    await world.play(story.late);
    return world.settle(world.now + HOUR_MS);
  }
  if (stage === "replayed") {
    for (const table of ["hourly", "daily"])
      world.database.exec(`UPDATE ${table} SET pageviews = pageviews + 3, visits = visits + 1 WHERE events % 2 = 0`);
    const done = await world.replay({ kind: "rebuild", fromDay: first - 2, toDay: first + DAYS + 2 });
    if (done.failed > 0) throw new Error(`the replay failed: ${JSON.stringify(done)}`);
    return;
  }
  await world.settle(end + 4 * DAY_MS);
  const verified = await world.replay({ kind: "verify", fromDay: first - 2, toDay: first + DAYS + 2 });
  if (verified.differences + verified.inDoubt + verified.failed > 0)
    throw new Error(`a verify of all Days finds ${JSON.stringify(verified)}`);
}

interface Comparison {
  readonly merchant: number;
  readonly body: Body;
  readonly view: View;
  readonly settings: ModelSettings;
}

async function compare(
  world: AnswersWorld,
  { merchant, body, view, settings }: Comparison,
  asked: { questions: number; rollups: number; archive: number },
): Promise<string | undefined> {
  const answer = await world.ask(merchant, body);
  asked.questions += 1;
  if (!answer.ok) return `refused: ${JSON.stringify(answer)}`;
  asked[answer.value.meta.sources.from] += 1;
  const given: Rows = new Map(
    answer.value.results.map(({ dimensions, metrics, comparison }) => [
      JSON.stringify(dimensions),
      [...metrics, ...(comparison?.metrics ?? [])].map(plain),
    ]),
  );
  const expected = answerOf(view, body, { settings, now: world.now });
  const lines = [...new Set([...expected.keys(), ...given.keys()])].sort().flatMap((key) => {
    const [own, model] = [shown(given.get(key)), shown(expected.get(key))];
    return own === model ? [] : [`    ${key}: says ${own}, the model ${model}`];
  });
  if (lines.length === 0) return undefined;
  return `from ${answer.value.meta.sources.from}\n${lines.slice(0, 6).join("\n")}`;
}

function plain(metric: unknown): number | null {
  return typeof metric === "object" && metric !== null
    ? (metric as { value: number }).value
    : (metric as number | null);
}

/** A row of zeros says what no row says. */
function shown(row: readonly (number | null)[] | undefined): string {
  if (row === undefined || row.every((value) => value === null || value === 0)) return "nothing";
  return JSON.stringify(row.map((value) => value && Math.round(value * 10_000) / 10_000));
}

/** An export of closed Days has every event that was taken, each once. */
async function checkExport({ merchants, start }: Story, world: AnswersWorld): Promise<string | undefined> {
  const first = Math.floor(start / DAY_MS) - 2;
  const closed = Math.floor(world.now / DAY_MS) - 3;
  for (const { merchant, zone } of merchants) {
    const dayOf = ({ at }: Told) => Date.parse(`${localDate(zone, at)}T00:00:00Z`) / DAY_MS;
    const own = world.stored
      .map(({ told }) => told)
      .filter((told) => told.merchant === merchant && dayOf(told) <= closed);
    const [taken, given] = [
      own.map(({ id }) => id).sort(),
      [...(await world.exported(merchant, [first, closed]))].sort(),
    ];
    if (JSON.stringify(taken) !== JSON.stringify(given))
      return `an export of merchant ${merchant} has ${given.length} of ${taken.length} events`;
  }
  return undefined;
}

/** The difference, how to see it again, and the smallest story that still has it. */
async function report(seed: number, found: Difference): Promise<string> {
  const { stage, merchant, body, text } = found;
  const lines = [
    `seed ${seed}, merchant ${merchant}, Days ${stage}: ${JSON.stringify(body)}`,
    `  ${text}`,
    `  again: SEED=${seed}${WITHOUT.length > 0 ? ` WITHOUT=${WITHOUT.join()}` : ""} npx vitest run test/answers`,
  ];
  if (body === NO_BODY) return lines.join("\n");
  const { story, difference } = await shrink(storyOf(seed, WITHOUT), seed, found);
  const zone = story.merchants.find((one) => one.merchant === merchant)?.zone;
  return [
    ...lines,
    `the smallest story found, in ${zone}: ${difference.text}`,
    ...[...story.requests, ...story.late].map(
      ({ at, events }) => `  ${new Date(at).toISOString()} ${events.map(wordsOf).join(" + ")}`,
    ),
  ].join("\n");
}

/** Leaves out as many requests as can be without losing the difference. */
async function shrink(story: Story, seed: number, found: Difference) {
  let [smallest, difference] = [story, found];
  let runs = 0;
  const attempt = async (keeps: (request: Request) => boolean) => {
    const smaller = { ...smallest, requests: smallest.requests.filter(keeps), late: smallest.late.filter(keeps) };
    const isSame = smaller.requests.length + smaller.late.length === smallest.requests.length + smallest.late.length;
    if (isSame || runs >= SHRINKS_MAX) return false;
    runs += 1;
    const again = await tell(smaller, seed, undefined, found).catch(() => undefined);
    if (again === undefined || !isAlike(again.text, found.text)) return false;
    [smallest, difference] = [smaller, again];
    return true;
  };
  const isOf = (merchant: number) => (request: Request) => request.events.some((told) => told.merchant === merchant);
  await attempt(isOf(found.merchant));
  const people = new Set(story.requests.flatMap(({ events }) => events.map(({ person }) => person)));
  for (const one of people) await attempt(({ events }) => events.every(({ person }) => person !== one));
  for (let size = smallest.requests.length / 2; size >= 1; size /= 2) {
    const step = Math.ceil(size);
    const all = [...smallest.requests, ...smallest.late];
    for (let start = 0; start < all.length; start += step) {
      const left = new Set(all.slice(start, start + step));
      await attempt((request) => !left.has(request));
    }
  }
  return { story: smallest, difference };
}

/** Whether two differences are of one result: a smaller story may have another one. */
function isAlike(a: string, b: string): boolean {
  const keysOf = (text: string) => text.split("\n").flatMap((line) => line.match(/^.*(?=: says)/) ?? []);
  return keysOf(a).some((key) => keysOf(b).includes(key));
}

/** An event in a line. */
function wordsOf(told: Told): string {
  const { id, name, at, person, isKnown, path, order, revenue, currency, products, origin } = told;
  const more = {
    ...(order !== "" && { order }),
    ...(revenue !== 0 && { revenue }),
    ...(currency !== "" && { currency }),
    ...(products.length > 0 && { products }),
    ...(told.engagementMs > 0 && { engaged: told.engagementMs }),
    ...(origin.source !== "" && { source: origin.source }),
    ...Object.fromEntries(
      (["keyed", "passive", "prefetch"] as const).filter((flag) => told[flag]).map((flag) => [flag, true]),
    ),
    ...(origin.isReturn && { returns: true }),
    ...(told.stream === 2 && { stream: 2 }),
  };
  const who = isKnown ? person : `${person} (address)`;
  return `${id} ${name} ${path} by ${who} at ${new Date(at).toISOString()} ${JSON.stringify(more)}`;
}

// Tells a story to the product and asks about it: when its Days are open, when some are sealed, when late events have
// come for those, when a replay has put wrong rollups right, and when nothing is left but sealed files. The first
// answer that is not the model's is the result.

import { DAY_MS } from "../../core/time.ts";
import { seededRandom } from "../support/random.ts";
import { dateAfter, localDate } from "./calendar.ts";
import { type ModelSettings, type Seen, type View, viewOf } from "./model.ts";
import { answerOf, type Body } from "./model-answer.ts";
import { fits } from "./model-filter.ts";
import { type ReportBody, type ReportKind, reportOf } from "./model-report.ts";
import { questionOf, randomFilters, randomReport } from "./question.ts";
import { DAYS, type Feature, type Story, type Told } from "./traffic.ts";
import { AnswersWorld } from "./world.ts";

const HOUR_MS = 3_600_000;

/** "waiting": late events were taken, and no rollup knows of them yet (L8). */
export const STAGES = ["open", "sealed", "waiting", "late", "replayed", "closed"] as const;
export type Stage = (typeof STAGES)[number];

/** A question, a report, or an export of all closed Days. */
export type Asked =
  | { readonly kind: "question"; readonly body: Body }
  | { readonly kind: ReportKind; readonly body: ReportBody }
  | { readonly kind: "export"; readonly filters: readonly unknown[] };

export interface Difference {
  readonly stage: Stage;
  readonly merchant: number;
  readonly asked: Asked;
  /** What is different, line by line. */
  readonly text: string;
}

export interface Telling {
  readonly seed: number;
  readonly without: readonly Feature[];
  /** Questions of each merchant at each stage. */
  readonly questions: number;
  /** What is asked alone, instead of random questions. */
  readonly only?: Pick<Difference, "stage" | "merchant" | "asked">;
  readonly statistics: Statistics;
}

export interface Statistics {
  questions: number;
  reports: number;
  rollups: number;
  archive: number;
  both: number;
}

/** Plays a story and asks at each stage; the first difference. */
export async function tell(story: Story, telling: Telling): Promise<Difference | undefined> {
  const { seed, without, questions, only, statistics } = telling;
  const random = seededRandom(seed ^ 0x5eed);
  const world = new AnswersWorld(story);
  await world.publishRates(story.rates);
  for (const stage of STAGES) {
    await enter(stage, story, world);
    for (const { merchant, zone } of story.merchants) {
      const own = world.stored.filter(({ told }) => told.merchant === merchant);
      const settings = { zone, rates: story.rates };
      const seen = { merchant, settings, view: viewOf(own, settings) };
      const context = { zone, start: story.start, without };
      const all: Asked[] = Array.from({ length: questions }, () => ({
        kind: "question",
        body: questionOf(random, context),
      }));
      all.push(randomReport(random, context), { kind: "export", filters: randomFilters(random) });
      const wanted = only === undefined ? all : only.stage === stage && only.merchant === merchant ? [only.asked] : [];
      for (const asked of wanted) {
        const text = await compare(world, asked, { ...seen, statistics });
        if (text !== undefined) return { stage, merchant, asked, text };
      }
    }
  }
  return undefined;
}

/** What happens before the questions of a stage. */
export async function enter(stage: Stage, story: Story, world: AnswersWorld): Promise<void> {
  const first = Math.floor(story.start / DAY_MS);
  const all = { fromDay: first - 2, toDay: first + DAYS + 2 };
  const half = story.start + 2 * DAY_MS - 2 * HOUR_MS;
  const end = story.start + DAYS * DAY_MS - 6 * HOUR_MS;
  if (stage === "open") return world.play(story.requests.filter(({ at }) => at < half));
  if (stage === "sealed") return world.play(story.requests.filter(({ at }) => at >= half));
  if (stage === "waiting") {
    await world.settle(end + HOUR_MS);
    return world.play(story.late);
  }
  if (stage === "late") return world.settle(world.now + HOUR_MS);
  if (stage === "replayed") {
    await world.spoilRollups();
    const done = await world.replay({ kind: "rebuild", ...all });
    if (done.failed > 0) throw new Error(`the replay failed: ${JSON.stringify(done)}`);
    return;
  }
  await world.settle(end + 4 * DAY_MS);
  const verified = await world.replay({ kind: "verify", ...all });
  if (verified.differences + verified.inDoubt + verified.failed > 0)
    throw new Error(`a verify of all Days finds ${JSON.stringify(verified)}`);
}

interface Seeing {
  readonly merchant: number;
  readonly settings: ModelSettings;
  readonly view: View;
  readonly statistics: Statistics;
}

async function compare(world: AnswersWorld, asked: Asked, seeing: Seeing): Promise<string | undefined> {
  if (asked.kind === "question") return compareAnswer(world, asked.body, seeing);
  if (asked.kind === "export") return compareExport(world, asked.filters, seeing);
  const { merchant, settings, view, statistics } = seeing;
  statistics.reports += 1;
  const given = await world.report(merchant, asked.kind, asked.body);
  return linesOf(toRows(given), toRows(reportOf(view, asked, { settings, now: world.now })));
}

async function compareAnswer(
  world: AnswersWorld,
  body: Body,
  { merchant, settings, view, statistics }: Seeing,
): Promise<string | undefined> {
  const answer = await world.ask(merchant, body);
  if (!answer.ok) return `refused: ${JSON.stringify(answer)}`;
  const { results, meta } = answer.value;
  statistics.questions += 1;
  statistics[meta.sources.from] += 1;
  const given = results.map(({ dimensions, metrics, comparison }): [string, readonly unknown[]] => {
    return [JSON.stringify(dimensions), [...metrics, ...(comparison?.metrics ?? [])].map(plain)];
  });
  const lines = linesOf(new Map(given), answerOf(view, body, { settings, now: world.now }));
  return lines && `from ${meta.sources.from}\n${lines}`;
}

/** An export of closed Days has every event that was taken, or each that filters admit, once. */
async function compareExport(
  world: AnswersWorld,
  filters: readonly unknown[],
  { merchant, settings, view }: Seeing,
): Promise<string | undefined> {
  const to = new Date(world.now - 3 * DAY_MS).toISOString().slice(0, 10);
  const taken = exportOf(view, filters).filter(({ at }) => localDate(settings.zone, at) <= to);
  const given = await world.exported(merchant, { from: dateAfter(to, -10), to, filters });
  const [own, model] = [given.toSorted(), taken.map(({ id }) => id).toSorted()].map((ids) => ids.join());
  return own === model ? undefined : `    export: says ${own}, the model ${model}`;
}

function exportOf(view: View, filters: readonly unknown[]): readonly Told[] {
  const { seen, drops, idle } = view;
  if (filters.length === 0) return [...seen, ...drops, ...idle].map(({ stored }) => stored.told);
  const admitted = (among: readonly Seen[]) =>
    among.filter((one) => filters.every((filter) => fits(filter, one, view))).map(({ stored }) => stored.told);
  if (/"visit:|"event:product|has_(not_)?done/.test(JSON.stringify(filters))) return admitted(seen);
  // A filter of events alone is asked of each event by itself (EXP-10): whose visit it is, and whether
  // it has one, it does not see.
  return admitted([...seen.filter(({ stored }) => !stored.told.prefetch), ...(idle as readonly Seen[])]);
}

type Rows = ReadonlyMap<string, readonly unknown[]>;

function toRows(rows: readonly (readonly unknown[])[]): Rows {
  return new Map(rows.map(([name, ...numbers]) => [String(name), numbers]));
}

function linesOf(given: Rows, expected: Rows): string | undefined {
  const lines = [...new Set([...expected.keys(), ...given.keys()])].sort().flatMap((key) => {
    const [own, model] = [shown(given.get(key)), shown(expected.get(key))];
    return own === model ? [] : [`    ${key}: says ${own}, the model ${model}`];
  });
  return lines.length === 0 ? undefined : lines.slice(0, 6).join("\n");
}

function plain(metric: unknown): unknown {
  return typeof metric === "object" && metric !== null ? (metric as { value: number }).value : metric;
}

/** A row of zeros says what no row says. */
function shown(row: readonly unknown[] | undefined): string {
  if (row === undefined || row.every((value) => value === null || value === 0)) return "nothing";
  const rounded = row.map((value) => (typeof value === "number" ? Math.round(value * 10_000) / 10_000 : value));
  return JSON.stringify(rounded);
}

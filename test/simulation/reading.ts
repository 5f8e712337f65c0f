// Readings in the middle of everything. From its acknowledgement on an event is in every answer, whatever that is read
// from and wherever the event is at that moment (L8): in rollups, in events, in a report, in an export. What an answer
// may lack it says itself: what was acknowledged at its `as_of` or later.

import { firstOpenDay } from "../../core/counting/closed.ts";
import { ANSWERS_CLOSED_MS } from "../../core/limits.ts";
import { REPORTS } from "../../core/query/report-count.ts";
import { DAY_MS, dateOf } from "../../core/time.ts";
import { readExport } from "../../storage/archive/archive-export.ts";
import { settingsOf } from "../../storage/directory/merchants.ts";
import { findExported } from "../../workers/query/events.ts";
import { readCompleteUntil } from "../../workers/query/live.ts";
import { readReport } from "../../workers/query/report.ts";
import { FROM_EVENTS, plain, RANGE } from "./check.ts";
import { mayBeErased } from "./erasure.ts";
import { countsUnder } from "./rules.ts";
import { ask, merchantRow, queryDeps, type Sent, type Simulation } from "./simulation.ts";

/** Reads everything of a merchant one way, and says what is wrong with it. */
type Reading = (simulation: Simulation, merchant: number) => Promise<string | undefined>;

/** By turns. */
const ROLLUPS: readonly object[] = [{}, { dimensions: ["time:hour"] }, { dimensions: ["event:page"] }];
/** By turns as well. Reading events takes the simulation's time: every third reading does. */
const OTHERS: readonly Reading[] = [
  (simulation, merchant) => readAnswer(simulation, merchant, FROM_EVENTS),
  readFunnel,
  readWholeExport,
];

const READ_EVERY = 3;

/** Undefined where nothing is wrong, or where there was no answer: that is no wrong one. */
export async function checkReading(simulation: Simulation, merchant: number): Promise<string | undefined> {
  const { readings } = simulation.statistics;
  const shape = ROLLUPS[readings % ROLLUPS.length] as object;
  const other = OTHERS[Math.floor(readings / READ_EVERY) % OTHERS.length] as Reading;
  try {
    const problem = await readAnswer(simulation, merchant, { date_range: RANGE, ...shape });
    if (problem !== undefined) return problem;
    const closed = await readClosed(simulation, merchant);
    if (closed !== undefined || readings % READ_EVERY !== 0) return closed;
    return await other(simulation, merchant);
  } catch (error) {
    simulation.world.note(`a reading failed: ${String(error)}`);
    return undefined;
  }
}

/**
 * The Days that are closed, of which an answer is remembered: it may be older than what a late event, a seal, a replay,
 * an undo or an erasure has changed, and must not be. So while nothing overflows it has to have all that was
 * acknowledged when it was asked for, whatever it says of itself. Days at the edge are of other dates in other zones.
 */
async function readClosed(simulation: Simulation, merchant: number): Promise<string | undefined> {
  const { now } = simulation.world;
  const end = firstOpenDay(now - ANSWERS_CLOSED_MS);
  const isSettled = simulation.overflowQueue.size === 0;
  const { results, meta } = await ask(simulation, merchant, {
    metrics: ["events"],
    date_range: [RANGE[0], dateOf(end - 1)],
  });
  if (isSettled && Date.parse(meta.as_of) < now) simulation.statistics.remembered += 1;
  const complete = isSettled ? new Date(now).toISOString() : meta.as_of;
  const shown = results.reduce((sum, { metrics }) => sum + plain(metrics[0]), 0);
  const counted = ofMerchant(simulation, merchant).filter(({ arrival }) => arrival.event.name !== "engagement");
  const before = (day: number) => counted.filter(({ arrival }) => arrival.event.timestamp < day * DAY_MS);
  const least = before(end - 1).filter(
    (sent) => mustBeIn(simulation, sent, complete) && counts(simulation, sent, "always"),
  );
  const most = before(end + 1).filter((sent) => !counts(simulation, sent, "never"));
  if (shown >= least.length && shown <= most.length) return undefined;
  return `L8: a reading of merchant ${merchant}'s closed Days at ${now}, of ${meta.as_of}, shows ${shown} events; ${least.length} were acknowledged, ${most.length} sent`;
}

/** At least what was acknowledged before the answer's instant, at most what was sent by its end. */
async function readAnswer(simulation: Simulation, merchant: number, question: object): Promise<string | undefined> {
  const { results, meta } = await ask(simulation, merchant, { metrics: ["events"], ...question });
  const shown = results.reduce((sum, { metrics }) => sum + plain(metrics[0]), 0);
  const counted = ofMerchant(simulation, merchant).filter(({ arrival }) => arrival.event.name !== "engagement");
  const least = counted.filter((sent) => mustBeIn(simulation, sent, meta.as_of) && counts(simulation, sent, "always"));
  const most = counted.filter((sent) => !counts(simulation, sent, "never"));
  if (shown >= least.length && shown <= most.length) return undefined;
  const where = `${meta.sources.from} ${JSON.stringify(question)}`;
  return `L8: a reading of merchant ${merchant} from ${where} at ${simulation.world.now} shows ${shown} events; ${least.length} were acknowledged, ${most.length} sent`;
}

/** Whoever is known by an id and has seen a page has done the first step. */
async function readFunnel(simulation: Simulation, merchant: number): Promise<string | undefined> {
  const step = { filters: [["is", "event:name", ["pageview"]]] };
  const report = REPORTS.funnel({ site_id: "m", date_range: RANGE, steps: [step, step] }, []);
  if (!report.ok) throw new Error(report.rejection.message);
  const answer = await readReport(report.value, merchantRow(simulation, merchant), queryDeps(simulation));
  if (!answer.ok) throw new Error(answer.rejection.message);
  const { results, meta } = answer.value as {
    readonly results: readonly { readonly visitors: number }[];
    readonly meta: { readonly as_of: string };
  };
  const seen = ofMerchant(simulation, merchant).filter(
    (sent) =>
      sent.arrival.event.name === "pageview" &&
      mustBeIn(simulation, sent, meta.as_of) &&
      counts(simulation, sent, "always"),
  );
  const known = new Set(seen.map(({ arrival }) => arrival.event.visitor).filter((visitor) => visitor !== ""));
  const shown = results[0]?.visitors ?? 0;
  if (shown >= known.size) return undefined;
  return `L8: a funnel of merchant ${merchant} at ${simulation.world.now} begins with ${shown} visitors; ${known.size} were acknowledged`;
}

/** Every event, also those that do not count, once. */
async function readWholeExport(simulation: Simulation, merchant: number): Promise<string | undefined> {
  const deps = queryDeps(simulation);
  const row = merchantRow(simulation, merchant);
  const asOf = new Date(await readCompleteUntil(row, deps)).toISOString();
  const [from, to] = RANGE.map((date) => Date.parse(date) / 86_400_000) as [number, number];
  const places = await findExported(row, { from, to }, deps);
  if (!places.ok) throw new Error(JSON.stringify(places.problem));
  const source = { archive: { bucket: deps.bucket as never }, ledger: deps.ledgers.ofMerchant(merchant) };
  const ids = new Set<string>();
  for await (const rows of readExport(source, { settings: settingsOf(row), places: places.value })) {
    for (const { event } of rows) {
      if (ids.has(event.id)) return `L8: an export of merchant ${merchant} has ${event.id} twice`;
      ids.add(event.id);
    }
  }
  const missing = ofMerchant(simulation, merchant).find(
    (sent) => mustBeIn(simulation, sent, asOf) && !ids.has(sent.arrival.event.id),
  );
  if (missing === undefined) return undefined;
  return `L8: an export of merchant ${merchant} at ${simulation.world.now} lacks ${missing.arrival.event.id}`;
}

function ofMerchant({ sent }: Simulation, merchant: number): readonly Sent[] {
  return sent.filter(({ arrival }) => arrival.event.merchant === merchant);
}

/** Whether an answer that claims to be complete until an instant has to have an event. */
function mustBeIn(simulation: Simulation, { arrival, acknowledgedAt, unnoted }: Sent, asOf: string): boolean {
  // What D1 could not note when it overflowed, nobody knows of until its first delivery has failed.
  const mayWait = unnoted && simulation.overflowQueue.size > 0;
  return acknowledgedAt < Date.parse(asOf) && !mayWait && !mayBeErased(simulation, arrival.event);
}

function counts(simulation: Simulation, { arrival }: Sent, how: "always" | "never"): boolean {
  return countsUnder(simulation, arrival) === how;
}

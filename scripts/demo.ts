// `npm run demo`: a week of visits to a shop, sent to a running `npm start` through the same endpoint as any page's, and
// then the numbers the API gives. The visits are made up from a seed (demo/visit.ts): a second run counts nothing twice.

import { firstOpenDay } from "../core/counting/closed.ts";
import { type Ask, makeReport } from "./demo/report.ts";
import type { Place } from "./demo/shop.ts";
import { type DemoEvent, eventsByPlace, isBot } from "./demo/visit.ts";
import { askAdmin, askQuestion, type Connection } from "./footfall/connection.ts";
import type { Answer, Question } from "./footfall/query.ts";
import { EVENTS_PER_SECOND, Pace } from "./import/pace.ts";
import { sendEvents } from "./import/send.ts";
import { type BatchAnswer, Tally } from "./import/tally.ts";
import { type LocalStart, readLocalStart, stateDirOf } from "./local-state.ts";
import { Problem, runMain } from "./problem.ts";
import { sayBesideMeter, startMeter } from "./progress.ts";
import { toFigure } from "./table.ts";

const DAYS = 7;
const BATCH_EVENTS = 250;
const COUNTED_WITHIN_MS = 60_000;
const SEAL_EVERY_MS = 2_000;
const DAY_MS = 86_400_000;

async function main(): Promise<void> {
  const stateDir = stateDirOf(process.env);
  const start = await readLocalStart(stateDir);
  if (start === undefined || !(await isHealthy(start.collector)) || !(await isHealthy(start.query))) {
    throw new Problem("nothing is running here; run `npm start` in another terminal first, then this again");
  }
  const now = Date.now();
  const groups = eventsByPlace(now, DAYS);
  const tally = await sendAll(start, groups);
  console.log(`${toFigure(tally.accepted)} events taken, ${toFigure(tally.duplicates)} were there already.`);
  if (tally.duplicates > 0) console.log("Those of closed Days are taken again, and count once.");
  for (const [reason, count] of tally.dropped) console.log(`${toFigure(count)} kept but not counted (${reason}).`);
  for (const [code, { examples }] of tally.rejected) throw new Error(`${code}: ${examples[0]?.message}`);
  const date = (instant: number) => new Date(instant).toISOString().slice(0, 10);
  const connection = toConnection(start, stateDir);
  const ask = async (question: Question) => (await askQuestion(connection, question)) as Answer;
  const range = [date(now - (DAYS - 1) * DAY_MS), date(now)] as const;
  const seal = () => sealClosed(connection, { from: range[0], to: date(firstOpenDay(now) * DAY_MS - 1) });
  await untilCounted({ ask, seal, site: start.merchant, range, expected: countedPageviews(groups) });
  console.log(`\n${await makeReport(ask, start.merchant, range)}`);
}

interface Counted {
  readonly ask: Ask;
  readonly seal: () => Promise<unknown>;
  readonly site: string;
  readonly range: readonly [string, string];
  readonly expected: number;
}

/**
 * What could not be taken at once is counted a little later (the overflow queue). Days that are closed are counted when they
 * are sealed, which would happen within minutes by itself.
 */
async function untilCounted({ ask, seal, site, range, expected }: Counted): Promise<void> {
  const deadline = Date.now() + COUNTED_WITHIN_MS;
  let sealedAt = Number.NEGATIVE_INFINITY;
  for (;;) {
    if (Date.now() - sealedAt > SEAL_EVERY_MS) {
      await seal();
      sealedAt = Date.now();
    }
    const { results } = await ask({ site_id: site, metrics: ["pageviews"], date_range: range, dimensions: [] });
    const counted = Number(results[0]?.metrics[0] ?? 0);
    if (counted >= expected) return;
    if (Date.now() > deadline) {
      console.log(`${toFigure(expected - counted)} page views are still on their way; ask again later.`);
      return;
    }
    await new Promise((settle) => setTimeout(settle, 500));
  }
}

function sealClosed(connection: Connection, range: { from: string; to: string }): Promise<unknown> {
  return askAdmin(connection, "POST", "/api/v1/archive/seal", range);
}

function countedPageviews(groups: ReadonlyMap<Place, readonly DemoEvent[]>): number {
  const isCounted = ({ name, visitor_id }: DemoEvent) => name === "pageview" && !isBot(visitor_id);
  return [...groups.values()].reduce((sum, events) => sum + events.filter(isCounted).length, 0);
}

/** One place per request, because the place is a property of the connection and not of an event. */
async function sendAll(start: LocalStart, groups: ReadonlyMap<Place, readonly DemoEvent[]>): Promise<Tally> {
  const tally = new Tally();
  const total = [...groups.values()].reduce((sum, events) => sum + events.length, 0);
  const meter = startMeter("sending a week of visits", total);
  const pace = new Pace(EVENTS_PER_SECOND);
  let sent = 0;
  for (const [place, events] of groups) {
    const headers = { "x-footfall-place": asHeader(place) };
    for (let at = 0; at < events.length; at += BATCH_EVENTS) {
      const batch = events.slice(at, at + BATCH_EVENTS);
      const destination = { collectorUrl: start.collector, trackingId: start.tracking_id, headers };
      await pace.wait(batch.length);
      const answer: BatchAnswer = await sendEvents(destination, batch, sayBesideMeter);
      tally.answer(answer, []);
      sent += batch.length;
      meter.update(sent);
    }
  }
  meter.stop();
  return tally;
}

/** JSON with everything beyond ASCII escaped: headers are bytes. */
function asHeader(place: Place): string {
  return JSON.stringify(place).replace(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

async function isHealthy(url: string): Promise<boolean> {
  return await fetch(`${url}/health`).then(
    ({ ok }) => ok,
    () => false,
  );
}

function toConnection(start: LocalStart, stateDir: string) {
  return {
    queryUrl: start.query,
    collectorUrl: start.collector,
    adminToken: start.admin_token,
    apiKey: start.api_key,
    trackingId: start.tracking_id,
    merchant: start.merchant,
    stateDir,
  };
}

await runMain(main);

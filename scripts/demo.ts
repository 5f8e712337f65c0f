// `npm run demo`: two weeks of a shop (as many days as its argument says, a week without one), sent to a running
// `npm start` through the same endpoint as any page's and any server's, and then the numbers the API gives, beside the
// shop's own books. The visits are made up from a seed (demo/visit.ts): a second run counts nothing twice.

import { firstOpenDay } from "../core/counting/closed.ts";
import { type Books, keepBooks } from "./demo/books.ts";
import { type DemoEvent, type Parcel, type SentEvent, toParcels } from "./demo/event.ts";
import { type Ask, compareBooks, makeReport } from "./demo/report.ts";
import { asServer, decideRate, decideRules, rebuildPast } from "./demo/setting.ts";
import type { Place } from "./demo/shop.ts";
import { eventsOf } from "./demo/visit.ts";
import { askAdmin, askQuestion, type Connection } from "./footfall/connection.ts";
import type { Answer, Question } from "./footfall/query.ts";
import { EVENTS_PER_SECOND, Pace } from "./import/pace.ts";
import { sendEvents } from "./import/send.ts";
import { type BatchAnswer, Tally } from "./import/tally.ts";
import { type LocalStart, readLocalStart, stateDirOf } from "./local-state.ts";
import { Problem, runMain } from "./problem.ts";
import { sayBesideMeter, startMeter } from "./progress.ts";
import { toFigure } from "./table.ts";

const DAYS = Number(process.argv[2] ?? 7);
const BATCH_EVENTS = 250;
const COUNTED_WITHIN_MS = 60_000;
const SEAL_EVERY_MS = 2_000;
const DAY_MS = 86_400_000;

async function main(): Promise<void> {
  if (!Number.isInteger(DAYS) || DAYS < 1 || DAYS > 31) throw new Problem("the number of days is 1 to 31");
  const stateDir = stateDirOf(process.env);
  const start = await readLocalStart(stateDir);
  if (start === undefined || !(await isHealthy(start.collector)) || !(await isHealthy(start.query))) {
    throw new Problem("nothing is running here; run `npm start` in another terminal first, then this again");
  }
  const connection = toConnection(start, stateDir);
  const now = Date.now();
  const openDay = firstOpenDay(now);
  const range = [dateOf(now - (DAYS - 1) * DAY_MS), dateOf(now)] as const;
  const closed = { from: range[0], to: dateOf(openDay * DAY_MS - 1) };
  await decideRules(connection, start.merchant);
  await decideRate(connection, start.merchant, dateOf(now - DAYS * DAY_MS));

  const sent = eventsOf({ now, days: DAYS, firstOpenDay: openDay });
  const isLate = ({ late, event }: SentEvent) => late && event.timestamp < openDay * DAY_MS;
  const waves = [sent.filter((one) => !isLate(one)), sent.filter(isLate)];
  const ask: Ask = (question, path) => askQuestion(connection, question, path === undefined ? {} : { path });
  const seal = () => askAdmin(connection, "POST", "/api/v1/archive/seal", closed);
  const tally = await asServer(connection, start.merchant, async (key) => {
    const told = new Tally();
    for (const [index, wave] of waves.entries()) {
      await sendAll({ start, key, tally: told, label: LABELS[index] ?? "" }, toParcels(wave));
      const books = keepBooks(waves.slice(0, index + 1).flat());
      await untilCounted({ ask, seal, site: start.merchant, range, books });
    }
    return told;
  });
  sayTally(tally, waves[1]?.length ?? 0);
  const missing = await rebuildPast(connection, start.merchant, closed).catch(sentenceOf);
  if (missing !== undefined) console.log(`The closed Days are counted without the demo's goals yet (${missing}).`);
  const books = keepBooks(sent);
  await untilCounted({ ask, seal, site: start.merchant, range, books });
  console.log(`\n${await makeReport(ask, start.merchant, range)}`);
  const differences = await compareBooks(ask, { site: start.merchant, range, books });
  console.log(`\n${differences.length === 0 ? SAME : `${DIFFERENT}\n${differences.join("\n")}`}`);
}

const LABELS = [`sending ${DAYS} days of visits`, "sending what was offline"];
const SAME = "The shop's own books say the same: orders, refunds, units and money are equal.";
const DIFFERENT = "The shop's own books say otherwise (events of your own, or of an earlier demo, are counted too):";

/** What a person can do nothing about stops the demo; the rest of it can be shown all the same. */
function sentenceOf(error: unknown): string {
  if (error instanceof Problem) return error.message;
  throw error;
}

function sayTally(tally: Tally, late: number): void {
  console.log(`${toFigure(tally.accepted)} events taken, ${toFigure(tally.duplicates)} were there already.`);
  if (late > 0) console.log(`${toFigure(late)} of them came when their Day was closed and counted.`);
  if (tally.duplicates > 0) console.log("Those of closed Days are taken again, and count once.");
  for (const [reason, count] of tally.dropped) console.log(`${toFigure(count)} kept but not counted (${reason}).`);
  for (const [code, { examples }] of tally.rejected) throw new Error(`${code}: ${examples[0]?.message}`);
}

interface Counted {
  readonly ask: Ask;
  readonly seal: () => Promise<unknown>;
  readonly site: string;
  readonly range: readonly [string, string];
  readonly books: Books;
}

/**
 * What could not be taken at once is counted a little later (the overflow queue). Days that are closed are counted when
 * they are sealed, which would happen within minutes by itself.
 */
async function untilCounted({ ask, seal, site, range, books }: Counted): Promise<void> {
  const deadline = Date.now() + COUNTED_WITHIN_MS;
  const question: Question = { site_id: site, metrics: ["pageviews", "orders"], date_range: range, dimensions: [] };
  let sealedAt = Number.NEGATIVE_INFINITY;
  for (;;) {
    if (Date.now() - sealedAt > SEAL_EVERY_MS) {
      await seal();
      sealedAt = Date.now();
    }
    const { results } = (await ask(question)) as Answer;
    const [pageviews = 0, orders = 0] = (results[0]?.metrics ?? []).map(Number);
    if (pageviews >= books.pageviews && orders >= books.orders) return;
    if (Date.now() > deadline) {
      console.log(`${toFigure(books.pageviews - pageviews)} page views are still on their way; ask again later.`);
      return;
    }
    await new Promise((settle) => setTimeout(settle, 500));
  }
}

interface Sending {
  readonly start: LocalStart;
  /** The shop's server's. */
  readonly key: string;
  readonly tally: Tally;
  readonly label: string;
}

async function sendAll({ start, key, tally, label }: Sending, parcels: readonly Parcel[]): Promise<void> {
  const total = parcels.reduce((sum, { events }) => sum + events.length, 0);
  const meter = startMeter(label, total);
  const pace = new Pace(EVENTS_PER_SECOND);
  let sent = 0;
  for (const parcel of parcels) {
    const destination = {
      collectorUrl: start.collector,
      trackingId: start.tracking_id,
      headers: headersOf(parcel, key),
    };
    for (let at = 0; at < parcel.events.length; at += BATCH_EVENTS) {
      const batch: readonly DemoEvent[] = parcel.events.slice(at, at + BATCH_EVENTS);
      await pace.wait(batch.length);
      const answer: BatchAnswer = await sendEvents(destination, batch, sayBesideMeter);
      tally.answer(answer, []);
      sent += batch.length;
      meter.update(sent);
    }
  }
  meter.stop();
}

/** The place stands in a header, because it is a property of the connection and not of an event. */
function headersOf({ place, sender }: Parcel, key: string): Readonly<Record<string, string>> {
  const from = { "x-footfall-place": asHeader(place) };
  if (sender === "server") return { ...from, authorization: `Bearer ${key}` };
  return sender === "prefetch" ? { ...from, "sec-purpose": "prefetch" } : from;
}

/** JSON with everything beyond ASCII escaped: headers are bytes. */
function asHeader(place: Place): string {
  return JSON.stringify(place).replace(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function dateOf(instant: number): string {
  return new Date(instant).toISOString().slice(0, 10);
}

async function isHealthy(url: string): Promise<boolean> {
  return await fetch(`${url}/health`).then(
    ({ ok }) => ok,
    () => false,
  );
}

function toConnection(start: LocalStart, stateDir: string): Connection {
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

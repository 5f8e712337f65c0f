// What a question of the catalogue may cost, from what lies in D1 and R2 and nothing of plans: for an answer from
// rollups the rows that the range has, of Days or of Hours; for one from events, of each Day with anything in it one
// listing, its entry in the table of derived rows, and these rows, unless the isolate remembers what the Day came to
// for the question (MSR). All Days are sealed.

import { findDerived, windowOf } from "../../core/archive/derived-table.ts";
import type { Grain } from "../../core/counting/rollup-row.ts";
import type { zeroMeter } from "../../core/meter.ts";
import { dateOf } from "../../core/time.ts";
import type { Runtime } from "../../scripts/runtime.ts";
import { readRollups } from "../../storage/ledger/range.ts";
import type { CataloguedQuestion, Span } from "./catalogue.ts";
import { archiveObjects } from "./duckdb.ts";
import type { Answered, Client } from "./services.ts";
import { databasesOf } from "./services.ts";

/**
 * D1 rows that a question may read beside rollups: its key, the merchant, rules, erasures, and how much was undone.
 * What waits in the overflow queue, or for a recount, has rows only while it does.
 */
const D1_ROWS_BESIDE_MAX = 12;

/** What one merchant has. */
export interface Stock {
  readonly days: readonly StockDay[];
  /** UTC ms at which those Hours begin of which D1 has a row, with their dates. */
  readonly hours: readonly { readonly date: string; readonly hour: number }[];
}

/** A sealed Day. */
interface StockDay {
  readonly date: string;
  /** Bytes of the merchant's derived rows, and of the part of the table that says where they lie. */
  readonly derived: number;
  readonly window: number;
}

/** What an answer took: as it says itself, and by the query Worker's account. */
export interface Cost {
  readonly from: string;
  /** Rows of rollups. */
  readonly rows: number;
  readonly objects: number;
  readonly bytes: number;
  /** Days of which it was remembered what they came to. */
  readonly remembered: number;
  readonly lists: number;
  readonly gets: number;
  /** Of its ledger; of an answer from events they are not looked at. */
  readonly statements: number;
  readonly roundTrips: number;
  /** Where rollups were looked at first and did not know. */
  readonly days_from_events?: readonly object[];
}

export async function readStock(runtime: Runtime, merchant: number): Promise<Stock> {
  const files = new Map<string, StockDay>();
  for await (const [key, bytes] of archiveObjects(runtime, "sealed/")) {
    const [, date, partition] = /date=([^/]+)\/partition=([^/]+)\/.*\/derived\.table$/.exec(key) ?? [];
    const entry = date === undefined ? undefined : findDerived(bytes, merchant);
    if (date === undefined || entry === undefined) continue;
    files.set(`${date} ${partition}`, { date, derived: entry.length, window: windowOf(merchant, 1).length });
  }
  const db = (await databasesOf(runtime)).ledgers.ofMerchant(merchant);
  const rowsOf = async (grain: Grain) => {
    const all = { from: 0, to: Number.MAX_SAFE_INTEGER, sketch: false, breakdowns: [] };
    const rows = await readRollups(db, { merchant, grain, ...all });
    return rows.map(({ day, bucket, partition }) => ({ date: dateOf(day), bucket, partition }));
  };
  const days = (await rowsOf("day")).flatMap(({ date, partition }) => files.get(`${date} ${partition}`) ?? []);
  const hours = (await rowsOf("hour")).map(({ date, bucket }) => ({ date, hour: bucket }));
  return { days, hours };
}

/** Asks, and tells what the answer took. `d1Rows` is all that was read of D1. */
export async function askMetered(
  client: Client,
  ask: () => Promise<Answered>,
): Promise<{ readonly answer: Answered; readonly cost: Cost; readonly d1Rows: number }> {
  const read = async () => (await client.admin("GET", "/api/v1/meter")) as ReturnType<typeof zeroMeter>;
  const before = await read();
  const answer = await ask();
  const after = await read();
  const sources = answer.meta["sources"] as Omit<Cost, "lists" | "gets" | "remembered" | "statements" | "roundTrips">;
  const [lists, gets] = [after.r2_class_a - before.r2_class_a, after.r2_class_b - before.r2_class_b];
  const isOfRollups = sources.from === "rollups";
  const asked = {
    statements: isOfRollups ? after.ledger_statements - before.ledger_statements : 0,
    roundTrips: isOfRollups ? after.ledger_round_trips - before.ledger_round_trips : 0,
  };
  return {
    answer,
    cost: { remembered: 0, ...sources, lists, gets, ...asked },
    d1Rows: after.d1_rows_read - before.d1_rows_read,
  };
}

/** In which the Days of the catalogue lie: they are of two. */
const BLOCKS = 2;
/** D1 counts a row each time that a step of a statement passes it: a block's in the table, joined, summed and sent. */
const D1_ROWS_OF_BLOCK = 4;

/** What an answer from this source should take, exactly; of D1, which remembers some of it, within bounds. */
export function costOf(
  { dimensions, filters }: Pick<CataloguedQuestion, "dimensions" | "filters">,
  { span, given: { from, remembered }, stock }: { readonly span: Span; readonly given: Cost; readonly stock: Stock },
): { readonly cost: Cost; readonly d1RowsMin: number; readonly d1RowsMax: number } {
  const { first, last, instants } = span;
  const isInSpan = ({ date, hour = 0 }: { readonly date: string; readonly hour?: number }) =>
    date >= first &&
    date <= last &&
    (hour === 0 || instants === undefined || (hour >= instants[0] && hour < instants[1]));
  const days = stock.days.filter(isInSpan);
  const hours = stock.hours.filter(isInSpan).length;
  if (from === "archive") {
    // A question that was asked before knows all of its Days, any other none.
    const isKnown = remembered > 0;
    const bytes = isKnown ? 0 : days.reduce((sum, { derived, window }) => sum + derived + window, 0);
    const lists = isKnown ? 0 : days.length;
    // That some of the visitors of several closed Days may come again is seen in the totals of their Hours.
    const isOfTotals =
      filters.length === 0 && dimensions.every((name) => name === "time:week" || name === "time:month");
    const isLooked = instants !== undefined && isOfTotals;
    const rows = days.length + (isLooked ? hours : 0);
    const asked = { statements: 0, roundTrips: 0 };
    const of = { rows, objects: 2 * lists, bytes, remembered: isKnown ? days.length : 0, ...asked };
    const why = isLooked && { days_from_events: [{ dates: [first, last], why: "hours" }] };
    // That the Day has anything, about how much, twice where its files lie, twice the version they have, and whether
    // anything of it was lost or is in doubt.
    const d1RowsMax = 9 * days.length + (isLooked ? D1_ROWS_OF_BLOCK * BLOCKS : 0) + D1_ROWS_BESIDE_MAX;
    return { cost: { from, ...of, lists, gets: 2 * lists, ...why }, d1RowsMin: days.length, d1RowsMax };
  }
  const isByHour = instants !== undefined || dimensions.includes("time:hour");
  const rows = isByHour ? hours : days.length;
  // A block has the rollups of ten Days.
  const d1RowsMax = (isByHour ? D1_ROWS_OF_BLOCK * BLOCKS : 2 * rows) + D1_ROWS_BESIDE_MAX;
  const asked = { statements: 2, roundTrips: 1 };
  return {
    cost: { from, rows, objects: 0, bytes: 0, remembered: 0, lists: 0, gets: 0, ...asked },
    d1RowsMin: 1,
    d1RowsMax,
  };
}

export const COST_HEAD = "source    rows  lists  gets  known  dimensions | metrics | filters | range";

/** A line of the table that is kept. Bytes are left out: they change a little with the time of day that is in them. */
export function costLine(
  question: Readonly<Record<"dimensions" | "metrics" | "filters" | "date_range", unknown>>,
  { from, rows, lists, gets, remembered }: Cost,
): string {
  const { dimensions, metrics, filters, date_range } = question;
  const numbers = [rows, lists, gets, remembered].map((number, at) => String(number).padStart(at % 2 === 0 ? 4 : 5));
  const asked = [dimensions, metrics, filters, date_range].map((part) => JSON.stringify(part)).join(" | ");
  return `${from.padEnd(8)}  ${numbers.join("  ")}  ${asked}`;
}

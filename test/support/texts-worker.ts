// A Worker that counts a Day of events which differ in one field, and stores and reads it, so that it is timed
// with workerd's own engine.

import { columnsOf } from "../../core/archive/event-columns.ts";
import { ByteReader, ByteWriter } from "../../core/bytes.ts";
import { countEvent, decodeDay, emptyDay, encodeDay } from "../../core/counting/day.ts";
import { opine } from "../../core/enrichment/opinion.ts";
import type { Event } from "../../core/event.ts";
import { finish } from "../../core/gradual.ts";
import type { Outcome } from "../../core/outcome.ts";
import { countPlanOf } from "../../core/query/count.ts";
import type { Groups } from "../../core/query/group.ts";
import { planQuestion } from "../../core/query/plan.ts";
import { parseQuestion } from "../../core/query/question.ts";
import { resolveRange } from "../../core/query/range.ts";
import { NO_RULES } from "../../core/rules.ts";
import { DAY_MS } from "../../core/time.ts";
import { eventOf, settingsOf } from "./events.ts";

export interface TextsRequest {
  readonly field: "name" | "order";
  /**
   * Whether a question by names, of purchases with these orders, is counted from events, and not a Day stored and read.
   */
  readonly asked?: boolean;
  readonly texts: readonly string[];
}

const DAY = Date.UTC(2026, 2, 10) / DAY_MS;
const RULES = { own: NO_RULES, global: NO_RULES };

export default {
  async fetch(request: Request): Promise<Response> {
    const { field, texts, asked = false } = (await request.json()) as TextsRequest;
    if (asked) return new Response(String(answered({ field, texts })));
    const settings = settingsOf();
    const state = emptyDay(1, DAY);
    for (const [position, text] of texts.entries()) {
      const event = named(field, text, position);
      countEvent(state, { event, opinion: opine(event, RULES), settings, position });
    }
    const writer = new ByteWriter();
    encodeDay(state, writer);
    const read = decodeDay(new ByteReader(writer.finish()));
    const size = field === "name" ? read.dictionary.textNumbers.size : (read.orders?.size ?? 0);
    return new Response(String(size));
  },
};

function named(field: TextsRequest["field"], text: string, position: number): Event {
  const own = field === "name" ? { name: text } : { name: "purchase", order: text, currency: "EUR", revenue: 1 };
  return eventOf({ id: `${position}`, visitor: "one", timestamp: DAY * DAY_MS + position, ...own });
}

/** How many values an answer by name has, or orders one without dimensions. */
function answered({ field, texts }: TextsRequest): number {
  const filters = [["contains_not", "event:name", ["nobody"]]];
  const dimensions = field === "name" ? ["event:name"] : [];
  const body = { site_id: "m", metrics: ["events", "orders"], date_range: "day", dimensions, filters };
  const question = taken(parseQuestion(body));
  const zones = settingsOf().zones;
  const range = taken(resolveRange(question.dateRange, { zones, now: (DAY + 0.5) * DAY_MS, firstDay: undefined }));
  const counting = countPlanOf([taken(planQuestion(question, range, zones))]).open(
    { settings: settingsOf(), global: [] },
    "whole",
  );
  const rows = texts.map((text, position) => ({ partition: "pool-0", position, event: named(field, text, position) }));
  const problem = finish(counting.add({ day: DAY, partitions: [columnsOf(rows)] }));
  if (problem !== undefined) throw new Error(JSON.stringify(problem));
  const [{ groups }] = counting.groups() as [Groups];
  return field === "name" ? groups.length : (groups[0]?.numbers.counts.orders ?? 0);
}

function taken<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  throw new Error(outcome.rejection.message);
}

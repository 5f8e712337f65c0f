// A Worker that counts a Day of events which differ in one field, and stores and reads it, so that it is timed with workerd's own engine.

import { ByteReader, ByteWriter } from "../../core/bytes.ts";
import { countEvent, decodeDay, emptyDay, encodeDay } from "../../core/counting/day.ts";
import { opine } from "../../core/enrichment/opinion.ts";
import { NO_RULES } from "../../core/rules.ts";
import { DAY_MS } from "../../core/time.ts";
import { eventOf, settingsOf } from "./events.ts";

export interface TextsRequest {
  readonly field: "name" | "order";
  readonly texts: readonly string[];
}

const DAY = Date.UTC(2026, 2, 10) / DAY_MS;
const RULES = { own: NO_RULES, global: NO_RULES };

export default {
  async fetch(request: Request): Promise<Response> {
    const { field, texts } = (await request.json()) as TextsRequest;
    const settings = settingsOf();
    const state = emptyDay(1, DAY);
    for (const [position, text] of texts.entries()) {
      const named = field === "name" ? { name: text } : { name: "purchase", order: text, currency: "EUR", revenue: 1 };
      const event = eventOf({ id: `${position}`, timestamp: DAY * DAY_MS + position, ...named });
      countEvent(state, { event, opinion: opine(event, RULES), settings, position });
    }
    const writer = new ByteWriter();
    encodeDay(state, writer);
    const read = decodeDay(new ByteReader(writer.finish()));
    const size = field === "name" ? read.dictionary.textNumbers.size : (read.orders?.size ?? 0);
    return new Response(String(size));
  },
};

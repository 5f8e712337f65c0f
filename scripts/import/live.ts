// A message that another product has stored, read by the format that reads the same product's clients (core/formats).
// So history and live hits have one map: names, visitors, money and products mean the same. What the product worked out
// itself (place, browser) is given beside it. A network address in a message is hashed and never sent.

import { isAddress } from "../../core/enrichment/address.ts";
import { isMetadata, REVENUE_SCALE } from "../../core/event.ts";
import type { Commerce } from "../../core/formats/loose.ts";
import { BLANK_HIT, type Draft, type Format } from "../../core/hit.ts";
import type { Rejection } from "../../core/outcome.ts";
import { visitorText } from "./request.ts";
import { type ImportedEvent, type Row, read, rejectedRow, skipped } from "./row.ts";
import { filled, jsonOf } from "./value.ts";

/** Far ahead of every event: whether one is of the future is for the collector to say. */
const RECEIVED_AT = 4_000_000_000_000;

/** What is known of an event beside the message itself. */
export type Given = Pick<ImportedEvent, "country" | "region" | "city" | "browser" | "os" | "device">;

/** The row of one message, put into the body that the format reads. */
export function liveRow(format: Format, body: object, given: Given): Row {
  const outcome = format.parse({ ...BLANK_HIT, body: JSON.stringify(body), receivedAt: RECEIVED_AT });
  if (!outcome.ok) return refusedRow(outcome.rejection);
  const [draft] = outcome.value;
  if (draft === undefined) return skipped("message without an event");
  return draft.ok ? rowOf(draft.value, given) : refusedRow(draft.rejection);
}

function refusedRow({ code, message }: Rejection): Row {
  return rejectedRow(code, message);
}

function rowOf(draft: Draft, given: Given): Row {
  const { timestamp, claimedAddress, visitorId, userAgent } = draft;
  if (isMetadata(draft.name)) return skipped(`${draft.name} (tells of somebody, or of a page's machinery)`);
  if (timestamp === undefined) return rejectedRow("invalid_timestamp", "the event has no time");
  const url = isAddress(draft.url) ? draft.url : "";
  if (draft.name === "pageview" && url === "") return rejectedRow("no_page", `a page view of "${draft.url}"`);
  const event = { ...eventOf(draft, url), timestamp, ...(userAgent === "" && filled(given)), ...placeOf(given) };
  if (visitorId !== "") return read(event);
  if (claimedAddress === "") return skipped("names no visitor");
  return read(event, visitorText(new Date(timestamp).toISOString().slice(0, 10), claimedAddress, userAgent));
}

function placeOf({ country = "", region = "", city = "" }: Given): Partial<ImportedEvent> {
  return filled({ country, region, city });
}

/** Money, order number and products as a format has read them. */
export function commerceOf({ revenue, currency, order, products }: Commerce): Partial<ImportedEvent> {
  const money = { amount: revenue / REVENUE_SCALE, ...(currency !== "" && { currency }) };
  return {
    ...(order !== "" && { order_id: order }),
    ...((revenue !== 0 || currency !== "") && { revenue: money }),
    ...(products !== "" && { products: jsonOf(products) as NonNullable<ImportedEvent["products"]> }),
  };
}

function eventOf(draft: Draft, url: string): Partial<ImportedEvent> {
  const { name, engagementMs, scroll, props } = draft;
  const texts = {
    id: draft.id,
    name: name === "pageview" ? "" : name,
    url,
    referrer: draft.referrer,
    title: draft.title,
    visitor_id: draft.visitorId,
    user_agent: draft.userAgent,
    language: draft.language,
    screen: draft.screen,
  };
  return {
    ...filled(texts),
    ...commerceOf(draft),
    ...(engagementMs > 0 && { engagement_ms: engagementMs }),
    ...(scroll >= 0 && { scroll }),
    ...(props !== "" && { props: jsonOf(props) as NonNullable<ImportedEvent["props"]> }),
    ...(draft.passive === 1 && { interactive: false }),
  };
}

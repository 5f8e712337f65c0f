// What Segment and RudderStack have stored, in two forms: messages as their clients sent them, a JSON object a line
// (the S3 and object-storage destinations), and rows of their warehouse tables (pages, screens, tracks, and one table
// for each event), as JSON lines or CSV. A row becomes the message that it was made of, and is read as a live one
// (core/formats/segment.ts). `timestamp` is already corrected for wrong clocks, so the other times are left out.

import { segment } from "../../../core/formats/segment.ts";
import { parseInstant } from "../instant.ts";
import { liveRow } from "../live.ts";
import { type Row, rejectedRow, skipped } from "../row.ts";
import type { TableReader } from "../source.ts";
import { type Fields, jsonOf, objectOf, textOf } from "../value.ts";

const KINDS: readonly unknown[] = ["track", "page", "screen", "identify", "group", "alias"];

/** A message or a table's row; undefined for other objects. */
export function readSegment(object: Fields): readonly Row[] | undefined {
  if (isSegmentTable(Object.keys(object))) {
    const message = messageOf(object);
    return [message === undefined ? NO_EVENT : readMessage(message, object["timestamp"] ?? object["TIMESTAMP"])];
  }
  const isMessage = "messageId" in object && KINDS.includes(object["type"]);
  return isMessage ? [readMessage(object, object["timestamp"] ?? object["originalTimestamp"])] : undefined;
}

const NO_EVENT = skipped("row of a table without events and pages (identifies, users, groups, screens)");

/** Columns that each table of events has; some warehouses write them in capitals. */
export function isSegmentTable(columns: readonly string[]): boolean {
  const names = columns.map((name) => name.toLowerCase());
  return (
    ["id", "received_at", "original_timestamp", "timestamp"].every((name) => names.includes(name)) &&
    (names.includes("anonymous_id") || names.includes("user_id"))
  );
}

export function segmentTableReader(columns: readonly string[]): TableReader {
  return (cell) => readSegment(Object.fromEntries(columns.map((name) => [name, cell(name)]))) ?? [];
}

function readMessage(message: Fields, time: unknown): Row {
  const timestamp = parseInstant(textOf(time));
  if (timestamp === undefined) return rejectedRow("invalid_timestamp", `timestamp is "${textOf(time)}"`);
  const { originalTimestamp: _original, sentAt: _sent, ...rest } = message;
  return liveRow(segment, { batch: [{ ...rest, timestamp }] }, {});
}

/** Columns of a row that are no properties: its own, and those of how it came. */
const OWN: ReadonlySet<string> = new Set([
  ...["id", "anonymous_id", "user_id", "event", "event_text", "name", "category", "channel", "rudder_id"],
  ...["timestamp", "original_timestamp", "sent_at", "received_at", "uuid_ts", "uuid", "loaded_at"],
]);

/** Events whose tables keep lists of products as a text. */
const LISTS: ReadonlySet<string> = new Set(["products"]);

/** The message that a row was made of; undefined for one of persons or groups, which has neither event nor page. */
function messageOf(object: Fields): Fields | undefined {
  const row = Object.fromEntries(Object.entries(object).map(([name, value]) => [name.toLowerCase(), value]));
  const event = textOf(row["event_text"]) || textOf(row["event"]);
  if (event === "" && !("url" in row || "path" in row)) return undefined;
  const type = event === "" ? "page" : "track";
  const properties = Object.entries(row).filter(([name]) => !OWN.has(name) && !name.startsWith("context_"));
  const page = "context_page_";
  return {
    type,
    event,
    messageId: row["id"],
    anonymousId: row["anonymous_id"],
    userId: row["user_id"],
    name: row["name"],
    category: row["category"],
    properties: Object.fromEntries(properties.map(([name, value]) => [name, propertyOf(name, value)])),
    context: {
      userAgent: row["context_user_agent"],
      locale: row["context_locale"],
      ip: row["context_ip"] ?? row["context_request_ip"],
      app: { namespace: row["context_app_namespace"] },
      page: { url: row[`${page}url`], referrer: row[`${page}referrer`], title: row[`${page}title`] },
      campaign: objectOf(under(row, "context_campaign_")),
    },
  };
}

function propertyOf(name: string, value: unknown): unknown {
  return LISTS.has(name) && typeof value === "string" ? jsonOf(value) : value;
}

function under(row: Fields, prefix: string): Fields {
  const named = Object.entries(row).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(named.map(([name, value]) => [name.slice(prefix.length), value]));
}

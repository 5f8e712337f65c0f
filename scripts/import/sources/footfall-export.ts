// Footfall's own export as NDJSON, of this deployment or another: every fact as it is, visitors and ids
// included, so that the numbers are equal to the unit. Money is in ten-thousandths there. What was dropped is
// judged again, by the rules of the merchant that it comes to; only other stories under an id that was told
// are left out, for they were no events.

import { REVENUE_SCALE } from "../../../core/event.ts";
import { parseInstant } from "../instant.ts";
import { type ImportedEvent, type Row, read, rejectedRow, skipped } from "../row.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Columns that the API's own fields carry, by their names there. */
const SAME = [
  ...["name", "url", "referrer", "title", "user_agent", "language", "screen", "country", "region", "city"],
  ...["engagement_ms", "scroll", "order_id"],
] as const;
/** Columns that only an export has. */
const EXPORTED = [
  ...[
    "visitor",
    "visitor_kind",
    "received_at",
    "format",
    "asn",
    "verified_bot",
    "hints",
    "excluded",
    "keyed",
    "sequence",
  ],
  ...["passive", "purpose", "fragment"],
] as const;

export function readExport(object: Fields): readonly Row[] | undefined {
  if (!["event_id", "received_at", "visitor", "dropped", "date"].every((name) => name in object)) return undefined;
  return [readEvent(object)];
}

function readEvent(object: Fields): Row {
  if (object["dropped"] === "duplicate") return skipped("another story under an id that was told");
  const timestamp = parseInstant(String(object["timestamp"]));
  if (timestamp === undefined) return rejectedRow("invalid_timestamp", `timestamp is "${object["timestamp"]}"`);
  const present = (names: readonly string[]) =>
    Object.fromEntries(names.flatMap((name) => ((object[name] ?? null) === null ? [] : [[name, object[name]]])));
  const parts = ["props", "products", "given"].map((name) => [name, parsed(object[name])] as const);
  const wrong = parts.find(([, value]) => value === undefined);
  if (wrong !== undefined) return rejectedRow("invalid_field", `${wrong[0]} is no JSON`);
  const [props, products, given] = parts.map(([, value]) => value);
  const amount = Number(object["revenue"] ?? 0) / REVENUE_SCALE;
  const currency = object["currency"] ?? "";
  const event = {
    ...present(SAME),
    ...(given as Fields | null),
    id: String(object["event_id"]),
    timestamp,
    exported: present(EXPORTED),
    ...(props !== null && { props }),
    ...(products !== null && { products }),
    ...(amount !== 0 && { revenue: { amount, ...(currency !== "" && { currency }) } }),
  };
  return read(event as unknown as ImportedEvent);
}

/** A column of JSON: null where there is none, undefined where it is wrong. */
function parsed(text: unknown): unknown {
  if (text === null || text === undefined || text === "") return null;
  try {
    return JSON.parse(String(text)) as unknown;
  } catch {
    return undefined;
  }
}

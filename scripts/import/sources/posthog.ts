// PostHog's events as its batch exports and file downloads write them, as JSON lines or Parquet: in Parquet
// `properties` is a text of JSON. Read as its clients' hits are (core/formats/posthog.ts). Its exports of persons and
// sessions hold no events.

import { posthog } from "../../../core/formats/posthog.ts";
import { countryOf } from "../country.ts";
import { parseInstant } from "../instant.ts";
import { liveRow } from "../live.ts";
import { type Row, rejectedRow } from "../row.ts";
import { type Fields, objectInText, regionOf, textOf } from "../value.ts";

export function readPosthog(object: Fields): readonly Row[] | undefined {
  if (["person_version", "person_distinct_id_version"].every((name) => name in object)) return [OF_PERSONS];
  const isEvent = ["uuid", "event", "distinct_id", "properties", "timestamp"].every((name) => name in object);
  return isEvent ? [readEvent(object)] : undefined;
}

const OF_PERSONS = rejectedRow(
  "other_table",
  "this is PostHog's export of persons, who are no events; export the model `events`",
);

function readEvent(object: Fields): Row {
  const properties = objectInText(object["properties"]);
  if (properties === undefined) return rejectedRow("invalid_field", "properties are no JSON object");
  const timestamp = parseInstant(textOf(object["timestamp"]));
  if (timestamp === undefined) return rejectedRow("invalid_timestamp", `timestamp is "${textOf(object["timestamp"])}"`);
  const { uuid, event, distinct_id } = object;
  const text = (name: string) => textOf(properties[name]);
  const country = countryOf(text("$geoip_country_code")) ?? "";
  return liveRow(
    posthog,
    { uuid, event, distinct_id, properties, timestamp },
    {
      country,
      region: regionOf(country, text("$geoip_subdivision_1_code")),
      city: text("$geoip_city_name"),
      browser: text("$browser"),
      os: text("$os"),
      device: text("$device_type"),
    },
  );
}

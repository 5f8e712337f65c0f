// `POST /debug/mp/collect`: what Google would call wrong with a Measurement Protocol request, in its own codes. Nothing
// of the request is counted, and its secret is not checked. The bounds are Google's. Footfall itself accepts more.

import { parseQuery } from "../enrichment/address.ts";
import type { Hit } from "../hit.ts";
import { isObject, parseJson } from "./field.ts";
import { type Answer, json } from "./hit-reply.ts";
import { firstText, objectOf } from "./loose.ts";

type Code =
  | "VALUE_INVALID"
  | "VALUE_REQUIRED"
  | "VALUE_OUT_OF_BOUNDS"
  | "NAME_INVALID"
  | "NAME_RESERVED"
  | "NAME_DUPLICATED"
  | "EXCEEDED_MAX_ENTITIES";

interface Message {
  readonly fieldPath: string;
  readonly description: string;
  readonly validationCode: Code;
}

const EVENTS_MAX = 25;
const PARAMS_MAX = 25;
const ITEMS_MAX = 200;
const NAME_LENGTH_MAX = 40;
const AGE_MAX_MS = 72 * 3_600_000;
/** The most messages of one answer. A thousand events may have the same mistake. */
const MESSAGES_MAX = 50;

const RESERVED_NAMES: ReadonlySet<string> = new Set([
  "ad_activeview",
  "ad_click",
  "ad_exposure",
  "ad_query",
  "ad_reward",
  "adunit_exposure",
  "app_clear_data",
  "app_exception",
  "app_remove",
  "app_store_refund",
  "app_update",
  "app_upgrade",
  "dynamic_link_app_open",
  "dynamic_link_app_update",
  "dynamic_link_first_open",
  "error",
  "firebase_campaign",
  "first_open",
  "first_visit",
  "in_app_purchase",
  "notification_dismiss",
  "notification_foreground",
  "notification_open",
  "notification_receive",
  "os_update",
  "session_start",
  "user_engagement",
]);
const RESERVED_PREFIX = /^(_|firebase_|ga_|google_|gtag\.)/;

export function validationAnswer(hit: Hit): Answer {
  return json(200, { validationMessages: messagesOf(hit).slice(0, MESSAGES_MAX) });
}

function messagesOf(hit: Hit): readonly Message[] {
  const body = parseJson(hit.body);
  if (!body.ok || !isObject(body.value))
    return [message("", "VALUE_INVALID", "The request body is not a JSON object.")];
  const value = body.value;
  const query = parseQuery(hit.query);
  const isApp = query.has("firebase_app_id");
  if (!isApp && !query.get("measurement_id"))
    return [message("measurement_id", "VALUE_REQUIRED", "Measurement requires a measurement_id or a firebase_app_id.")];
  const client = isApp ? "app_instance_id" : "client_id";
  return [
    ...(firstText(value[client]) === ""
      ? [message(client, "VALUE_REQUIRED", `Measurement requires a ${client}.`)]
      : []),
    ...ageMessages("timestamp_micros", value["timestamp_micros"], hit.receivedAt),
    ...propertyMessages(value["user_properties"]),
    ...eventsMessages(value["events"], hit.receivedAt),
  ];
}

function eventsMessages(events: unknown, receivedAt: number): readonly Message[] {
  if (!Array.isArray(events) || events.length === 0)
    return [message("events", "VALUE_REQUIRED", "Measurement requires at least one event.")];
  const tooMany = events.length > EVENTS_MAX;
  return [
    ...(tooMany ? [message("events", "EXCEEDED_MAX_ENTITIES", `At most ${EVENTS_MAX} events are allowed.`)] : []),
    ...events.slice(0, EVENTS_MAX).flatMap((event, index) => eventMessages(event, index, receivedAt)),
  ];
}

function eventMessages(event: unknown, index: number, receivedAt: number): readonly Message[] {
  if (!isObject(event))
    return [message(`events[${index}]`, "VALUE_INVALID", `Event at index: [${index}] is not an object.`)];
  const params = objectOf(event["params"]);
  const found = [
    ...nameMessages(event["name"], index),
    ...ageMessages(`events[${index}].timestamp_micros`, event["timestamp_micros"], receivedAt),
  ];
  const keys = Object.keys(params);
  const path = `events[${index}].params`;
  if (keys.length > PARAMS_MAX)
    found.push(
      message(path, "EXCEEDED_MAX_ENTITIES", `Event at index: [${index}] has more than ${PARAMS_MAX} params.`),
    );
  for (const key of keys.slice(0, PARAMS_MAX)) {
    if (!isName(key))
      found.push(
        message(path, "NAME_INVALID", `Param [${shorten(key)}] of the event at index: [${index}] has an invalid name.`),
      );
    else if (RESERVED_PREFIX.test(key))
      found.push(
        message(
          path,
          "NAME_RESERVED",
          `Param [${shorten(key)}] of the event at index: [${index}] has a reserved name.`,
        ),
      );
  }
  const { items, value, currency } = params as Record<string, unknown>;
  if (Array.isArray(items) && items.length > ITEMS_MAX)
    found.push(message(`${path}.items`, "EXCEEDED_MAX_ENTITIES", `At most ${ITEMS_MAX} items are allowed.`));
  if (value !== undefined && firstText(currency) === "")
    found.push(
      message(`${path}.currency`, "VALUE_REQUIRED", `Event at index: [${index}] has a value and needs a currency.`),
    );
  if (value !== undefined && !Number.isFinite(Number(value)))
    found.push(
      message(`${path}.value`, "VALUE_INVALID", `The value of the event at index: [${index}] is not a number.`),
    );
  return found;
}

function nameMessages(value: unknown, index: number): Message[] {
  if (firstText(value) === "") return [message("events", "VALUE_REQUIRED", `Event at index: [${index}] has no name.`)];
  const name = String(value);
  const at = `Event at index: [${index}]`;
  if (!/^[a-z]/i.test(name)) {
    const rule = "Names must start with an alphabetic character.";
    return [message("events", "NAME_INVALID", `${at} has invalid name [${shorten(name)}]. ${rule}`)];
  }
  if (!isName(name)) {
    const rule = `Names are letters, digits and underscores, at most ${NAME_LENGTH_MAX}.`;
    return [message("events", "NAME_INVALID", `${at} has invalid name [${shorten(name)}]. ${rule}`)];
  }
  const reserved = RESERVED_NAMES.has(name) || RESERVED_PREFIX.test(name);
  return reserved ? [message("events", "NAME_RESERVED", `${at} has the reserved name [${name}].`)] : [];
}

function propertyMessages(value: unknown): readonly Message[] {
  const names = Object.keys(objectOf(value));
  const found =
    names.length > PARAMS_MAX
      ? [message("user_properties", "EXCEEDED_MAX_ENTITIES", `At most ${PARAMS_MAX} user properties are allowed.`)]
      : [];
  const wrong = names.slice(0, PARAMS_MAX).filter((name) => !/^[a-z]\w{0,23}$/i.test(name));
  return [
    ...found,
    ...wrong.map((name) =>
      message("user_properties", "NAME_INVALID", `User property [${shorten(name)}] has an invalid name.`),
    ),
  ];
}

function ageMessages(fieldPath: string, micros: unknown, receivedAt: number): readonly Message[] {
  if (micros === undefined) return [];
  const instant = Number(firstText(micros) || Number.NaN) / 1000;
  if (!Number.isFinite(instant))
    return [message(fieldPath, "VALUE_INVALID", "timestamp_micros must be microseconds since 1970.")];
  if (receivedAt - instant <= AGE_MAX_MS) return [];
  return [message(fieldPath, "VALUE_OUT_OF_BOUNDS", "timestamp_micros is more than 72 hours ago.")];
}

function isName(text: string): boolean {
  return text.length <= NAME_LENGTH_MAX && /^[a-z]\w*$/i.test(text);
}

function message(fieldPath: string, validationCode: Code, description: string): Message {
  return { fieldPath, description, validationCode };
}

function shorten(text: string): string {
  return text.slice(0, NAME_LENGTH_MAX).toWellFormed();
}

// Snowplow's tracker protocol: `POST /com.snowplowanalytics.snowplow/tp2` with a list of events, and `GET /i` with one in the
// query string. The app id is the tracking ID (from a server, an API key), `eid` the duplicate key. Self-describing events
// and entities are read where they say what was bought; anything else in them stays with whoever described it.

import { parseParameters } from "../enrichment/address.ts";
import { BLANK_DRAFT, type Draft, type Format, type Hit, type Settled } from "../hit.ts";
import { REQUEST_EVENTS_MAX } from "../limits.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import { type Answer, image, plain, problemOf, refusal } from "./answer.ts";
import { decodeBase64 } from "./base64.ts";
import { firstLanguage, isObject, parseJson, readTexts, readTimestamp, type TextField, visitorAgent } from "./field.ts";
import {
  clientInstant,
  firstText,
  looseOrder,
  looseProps,
  looseRevenue,
  looseScreen,
  looseScroll,
  namedById,
  objectOf,
  screenUrl,
  withoutSkew,
} from "./loose.ts";
import { type RawProduct, readProducts } from "./product.ts";

type Payload = Readonly<Record<string, unknown>>;

const TEXTS = [
  ["eid", "id"],
  ["duid", "visitorId"],
  ["uid", "visitorId"],
  ["nuid", "visitorId"],
  ["tnuid", "visitorId"],
  ["url", "url"],
  ["refr", "referrer"],
  ["page", "title"],
  ["lang", "language"],
  ["ua", "userAgent"],
  ["ip", "claimedAddress"],
] as const satisfies readonly TextField[];

/** A page ping says that the page was in use since the last one; trackers send one every ten seconds unless told otherwise. */
const PING_MS = 10_000;

export const snowplow: Format = {
  name: "snowplow",
  parse: (hit) => {
    const body = parseJson(hit.body);
    if (!body.ok) return body;
    const { data } = objectOf(body.value) as { readonly data?: unknown };
    if (!Array.isArray(data)) return rejected("invalid_body", 'send {"schema": …, "data": […]}');
    if (data.length > REQUEST_EVENTS_MAX)
      return rejected("too_many_events", `${data.length} events; at most ${REQUEST_EVENTS_MAX} are allowed`);
    return accepted(data.map((payload) => parsePayload(payload, hit)));
  },
  answer: (settled) => answer(settled, plain(200, "ok")),
};

export const snowplowPixel: Format = {
  name: "snowplow",
  parse: (hit) => accepted([parsePayload(Object.fromEntries(parseParameters(hit.query)), hit)]),
  answer: (settled) => answer(settled, image()),
};

function parsePayload(payload: unknown, hit: Hit): Outcome<Draft> {
  if (!isObject(payload)) return rejected("invalid_body", "an event must be an object");
  const texts = readTexts(TEXTS, payload);
  if (!texts.ok) return texts;
  const kind = factsOf(payload);
  if (kind === undefined) return rejected("invalid_field", "e must be one of pv, pp, se, ue, tr, ti");
  const name = firstText(kind.name).slice(0, 120).toWellFormed();
  if (name === "") return rejected("missing_field", "the event has no name: se_ac, or the schema of ue_pr, is missing");
  const timestamp = readTimestamp("dtm", instantOf(payload, hit.receivedAt), hit.receivedAt);
  if (!timestamp.ok) return timestamp;
  return accepted({
    ...BLANK_DRAFT,
    ...texts.value,
    ...namedById(firstText(payload["aid"])),
    timestamp: timestamp.value,
    userAgent: texts.value.userAgent || visitorAgent(hit.userAgent),
    language: texts.value.language || firstLanguage(hit.acceptLanguage),
    screen: looseScreen(payload["res"]),
    ...kind,
    name,
  });
}

/** A true time as it is; the device's own, without the error of its clock. */
function instantOf(payload: Payload, receivedAt: number): number | undefined {
  const at = (name: string) => clientInstant(Number(firstText(payload[name]) || Number.NaN));
  return at("ttm") ?? withoutSkew(at("dtm"), at("stm"), receivedAt);
}

/** What each kind of event says; undefined for a kind that there is not. */
function factsOf(payload: Payload): Partial<Draft> | undefined {
  switch (payload["e"]) {
    case "pv":
      return { name: "pageview" };
    case "pp":
      return { name: "engagement", engagementMs: PING_MS, scroll: scrollOf(payload) };
    case "se":
      return structured(payload);
    case "ue":
      return selfDescribing(payload);
    case "tr":
      return {
        name: "transaction",
        order: looseOrder(payload["tr_id"]),
        ...looseRevenue(payload["tr_tt"], payload["tr_cu"]),
      };
    case "ti":
      return item(payload);
    default:
      return undefined;
  }
}

/** The lowest edge seen, of the page's height. */
function scrollOf(payload: Payload): number {
  const height = (name: string) => Number(firstText(payload[name]).split("x")[1]);
  const share = (Number(firstText(payload["pp_may"])) + height("vp")) / height("ds");
  return Number.isFinite(share) ? looseScroll(share * 100) : -1;
}

function structured(payload: Payload): Partial<Draft> {
  const { se_ca: category, se_la: label, se_pr: property, se_va: value } = payload as Record<string, unknown>;
  return { name: firstText(payload["se_ac"]), props: looseProps({ category, label, property, value }) };
}

/** An item of a transaction: it is part of an order that counts by its own event. */
function item(payload: Payload): Partial<Draft> {
  const { ti_sk: id, ti_nm: name, ti_ca: category, ti_pr: price, ti_qu: quantity } = payload as Record<string, unknown>;
  const products = readProducts("ti", [{ id, name, category, price, quantity }]);
  return { name: "$item", order: looseOrder(payload["ti_id"]), products: products.ok ? products.value : "" };
}

/** A self-describing event is named by its schema: "iglu:com.acme/basket_shared/jsonschema/1-0-0" is "basket_shared". */
function selfDescribing(payload: Payload): Partial<Draft> {
  const event = described(objectOf(nested(payload, "ue_pr", "ue_px"))["data"]);
  const entities = [objectOf(nested(payload, "co", "cx"))["data"]].flat().map(described);
  const data = objectOf(event.data);
  if (event.name === "screen_view") return { name: "pageview", url: screenUrl("", firstText(data["name"], "screen")) };
  if (event.name !== "snowplow_ecommerce_action") return { name: event.name, props: looseProps(data) };
  const transaction = objectOf(entities.find(({ name }) => name === "transaction" || name === "refund")?.data);
  const products = readProducts("products", entities.filter(({ name }) => name === "product").map(toProduct));
  const type = firstText(data["type"]);
  const amount = transaction["revenue"] ?? transaction["refund_amount"];
  return {
    name: type,
    order: looseOrder(transaction["transaction_id"]),
    ...(type === "transaction" && looseRevenue(amount, transaction["currency"])),
    ...(type === "refund" && looseRevenue(amount, transaction["currency"], -1)),
    products: products.ok ? products.value : "",
  };
}

/** JSON as it stands, or in Base64. */
function nested(payload: Payload, asText: string, asBase64: string): unknown {
  const text = firstText(payload[asText]) || (decodeBase64(firstText(payload[asBase64])) ?? "");
  const json = parseJson(text);
  return json.ok ? json.value : undefined;
}

interface Described {
  readonly name: string;
  readonly data: unknown;
}

function described(value: unknown): Described {
  const { schema, data } = objectOf(value) as { readonly schema?: unknown; readonly data?: unknown };
  const [, name = ""] = /^iglu:[^/]+\/([^/]+)\//.exec(firstText(schema)) ?? [];
  return { name, data };
}

function toProduct({ data }: Described): RawProduct {
  const { id, name, category, brand, variant, price, quantity } = objectOf(data) as Record<string, unknown>;
  return { id, name, category, brand, variant, price, quantity };
}

/** Trackers send again after every status but 400, 401, 403, 410 and 422. */
function answer({ outcome }: Settled, good: Answer): Answer {
  const problem = problemOf(outcome);
  return problem === undefined ? good : refusal(problem);
}

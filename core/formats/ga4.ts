// GA4 as its tag sends it, `/g/collect`: parameters in the query string, and either nothing in the body or one event a line,
// whose parameters go before the shared ones. It has no ids, and leaves the time to us. What GA4's names mean here is
// shared with its Measurement Protocol (measurement.ts).

import { parseParameters } from "../enrichment/address.ts";
import { BLANK_DRAFT, type Draft, type Format, type Hit, type Settled } from "../hit.ts";
import { REQUEST_EVENTS_MAX } from "../limits.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import { type Answer, plain, problemOf, refusal } from "./answer.ts";
import { firstLanguage, readTexts, type TextField } from "./field.ts";
import {
  browserAgent,
  firstText,
  looseEngagement,
  looseOrder,
  looseProps,
  looseRevenue,
  looseScreen,
  looseScroll,
  namedById,
  withCampaign,
} from "./loose.ts";
import { type RawProduct, readProducts } from "./product.ts";

type Parameters = ReadonlyMap<string, string>;

const TEXTS = [
  ["cid", "visitorId"],
  ["uid", "visitorId"],
  ["en", "name"],
  ["dl", "url"],
  ["dr", "referrer"],
  ["dt", "title"],
  ["ul", "language"],
] as const satisfies readonly TextField[];

export const ga4: Format = { name: "ga4", parse, answer: quietAnswer };

/** GA4's names for what has one here; every other event keeps its own. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ["page_view", "pageview"],
  ["screen_view", "pageview"],
  ["user_engagement", "engagement"],
  ["scroll", "engagement"],
  ["session_start", "$session"],
  ["first_visit", "$session"],
  ["first_open", "$session"],
]);

/** GA4's tag reports a scroll once, at this depth in per cent. */
const SCROLL_REPORTED = 90;

export function ga4Name(name: string): string {
  return NAMES.get(name) ?? name;
}

/** What an event earned: only these do. Elsewhere `value` says what something might be worth. */
export function ga4Revenue(name: string, value: unknown, currency: unknown): Pick<Draft, "revenue" | "currency"> {
  if (name === "refund") return looseRevenue(value, currency, -1);
  const earns = name === "purchase" || name === "in_app_purchase" || name === "ecommerce_purchase";
  return looseRevenue(earns ? value : 0, currency);
}

export function ga4Scroll(name: string, percent: unknown): number {
  if (name !== "scroll") return -1;
  const depth = looseScroll(percent);
  return depth < 0 ? SCROLL_REPORTED : depth;
}

/** Google answers the same whatever was sent; only what must be sent again, or came too large, is said aloud. */
export function quietAnswer({ outcome }: Settled): Answer {
  const problem = problemOf(outcome);
  return problem === undefined || problem.status === 400 ? plain(204, "") : refusal(problem);
}

function parse(hit: Hit): Outcome<readonly Outcome<Draft>[]> {
  const lines = hit.body.split("\n").filter((line) => line.trim() !== "");
  if (lines.length > REQUEST_EVENTS_MAX)
    return rejected("too_many_events", `${lines.length} events; at most ${REQUEST_EVENTS_MAX} are allowed`);
  const shared = parseParameters(hit.query);
  if (lines.length === 0) return accepted([parseEvent(shared, hit)]);
  return accepted(lines.map((line) => parseEvent(new Map([...shared, ...parseParameters(line.trim())]), hit)));
}

function parseEvent(parameters: Parameters, hit: Hit): Outcome<Draft> {
  const texts = readTexts(TEXTS, Object.fromEntries(parameters));
  if (!texts.ok) return texts;
  const { name } = texts.value;
  if (parameters.get("v") !== "2") return rejected("invalid_field", "v must be 2");
  if (name === "") return rejected("missing_field", "en is missing");
  const own = eventParameters(parameters);
  const { transaction_id, value, currency, percent_scrolled, ...props } = own;
  const revenue = ga4Revenue(name, value, parameters.get("cu") ?? currency);
  const products = readProducts("pr", productsOf(parameters));
  return accepted({
    ...BLANK_DRAFT,
    ...texts.value,
    ...namedById(parameters.get("tid") ?? ""),
    ...revenue,
    name: ga4Name(name),
    url: withCampaign(texts.value.url, campaignOf(parameters)),
    userAgent: browserAgent(hit),
    language: texts.value.language || firstLanguage(hit.acceptLanguage),
    screen: looseScreen(parameters.get("sr")),
    props: looseProps(revenue.revenue === 0 && value !== undefined ? { ...props, value } : props),
    order: looseOrder(transaction_id),
    products: products.ok ? products.value : "",
    engagementMs: looseEngagement(parameters.get("_et")),
    scroll: ga4Scroll(name, percent_scrolled),
  });
}

/** "ep.plan=pro" and "epn.seats=3" are the event's own parameters. User properties ("up.") are persons' and are not kept. */
function eventParameters(parameters: Parameters): Record<string, string> {
  const own = new Map<string, string>();
  for (const [key, value] of parameters) {
    const [, name] = /^epn?\.(.+)$/s.exec(key) ?? [];
    if (name !== undefined) own.set(name, value);
  }
  return Object.fromEntries(own);
}

function campaignOf(parameters: Parameters): Record<string, string | undefined> {
  return {
    utm_source: parameters.get("cs"),
    utm_medium: parameters.get("cm"),
    utm_campaign: parameters.get("cn"),
    utm_content: parameters.get("cc"),
    utm_term: parameters.get("ct"),
  };
}

/** Two letters at the start of each part of "pr1=idA1~nmMat~brB~pr6.25~qt2". */
const PRODUCT_PARTS: ReadonlyMap<string, keyof RawProduct> = new Map([
  ["id", "id"],
  ["nm", "name"],
  ["ca", "category"],
  ["br", "brand"],
  ["va", "variant"],
  ["pr", "price"],
  ["qt", "quantity"],
]);

function productsOf(parameters: Parameters): readonly RawProduct[] {
  const keys = [...parameters.keys()].filter((key) => /^pr\d{1,3}$/.test(key));
  return keys.map((key) => {
    const parts = (parameters.get(key) ?? "").split("~").flatMap((part) => {
      const name = PRODUCT_PARTS.get(part.slice(0, 2));
      return name === undefined ? [] : [[name, firstText(part.slice(2))] as const];
    });
    return Object.fromEntries(parts);
  });
}

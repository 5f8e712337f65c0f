// GA4 as its tag sends it, `/g/collect`. Parameters are in the query string. The body is empty or has one event in each
// row, whose parameters win over the shared ones. It has no ids, and no times. measurement.ts uses the same meanings of
// GA4's names.

import { parseParameters } from "../enrichment/address.ts";
import { BLANK_DRAFT, type Draft, type Format, type Hit, type Settled } from "../hit.ts";
import { REQUEST_EVENTS_MAX } from "../limits.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import { isSettling } from "./commerce.ts";
import { firstLanguage, readTexts, type TextField } from "./field.ts";
import { type Answer, plain, problemOf, refusal } from "./hit-reply.ts";
import {
  browserAgent,
  type Commerce,
  firstText,
  forwardedAddress,
  looseCommerce,
  looseEngagement,
  loosePassive,
  looseProps,
  looseScreen,
  looseScroll,
  namedById,
  withCampaign,
} from "./loose.ts";
import type { RawProduct } from "./product.ts";

type Parameters = ReadonlyMap<string, string>;

const TEXTS = [
  ["cid", "visitorId"],
  ["uid", "visitorId"],
  ["en", "name"],
  ["dl", "url"],
  ["dr", "referrer"],
  ["dt", "title"],
  ["ul", "language"],
  ["_uip", "claimedAddress"],
  ["uip", "claimedAddress"],
] as const satisfies readonly TextField[];

export const ga4: Format = { name: "ga4", parse, answer: quietAnswer };

/** GA4's names for events that have another name here. Every other event keeps its name. */
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

/** `value` is money where something was paid or given back. Elsewhere it says what something might be worth. */
export function isPaid(name: string, transaction: unknown): boolean {
  return isSettling(name) || firstText(transaction) !== "";
}

export function ga4Commerce(
  name: string,
  { value, currency, transaction_id }: Readonly<Record<"value" | "currency" | "transaction_id", unknown>>,
  products: readonly RawProduct[],
): Commerce {
  const amount = isPaid(name, transaction_id) ? value : undefined;
  return looseCommerce({ amount, currency, order: transaction_id, products });
}

/** Events that the tag, an app or the shop's software sends by itself. */
const REPORTS: ReadonlySet<string> = new Set([
  "ad_exposure",
  "ad_impression",
  "ad_query",
  "adunit_exposure",
  "app_clear_data",
  "app_exception",
  "app_remove",
  "app_update",
  "firebase_campaign",
  "firebase_in_app_message_impression",
  "notification_foreground",
  "notification_receive",
  "os_update",
  "timing_complete",
]);

/** 1 if the sender marked it (`non_interaction`, or `ni` as Universal Analytics had it), or if it is a report. */
export function ga4Passive(name: string, ...marks: readonly unknown[]): number {
  return REPORTS.has(name) ? 1 : loosePassive(...marks);
}

export function ga4Scroll(name: string, percent: unknown): number {
  if (name !== "scroll") return -1;
  const depth = looseScroll(percent);
  return depth < 0 ? SCROLL_REPORTED : depth;
}

/**
 * Google answers the same whatever was sent. Footfall says more only where the hit must be sent again or was too large.
 */
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
  const { transaction_id, value, currency, percent_scrolled, non_interaction, ...props } = eventParameters(parameters);
  const named = namedById(parameters.get("tid") ?? "");
  const money = { value, currency: parameters.get("cu") ?? currency, transaction_id };
  return accepted({
    ...BLANK_DRAFT,
    ...texts.value,
    ...named,
    ...ga4Commerce(name, money, productsOf(parameters)),
    name: ga4Name(name),
    url: withCampaign(texts.value.url, campaignOf(parameters)),
    userAgent: browserAgent(hit, named),
    claimedAddress: texts.value.claimedAddress || forwardedAddress(hit.forwardedFor),
    language: texts.value.language || firstLanguage(hit.acceptLanguage),
    screen: looseScreen(parameters.get("sr")),
    props: looseProps(isPaid(name, transaction_id) || value === undefined ? props : { ...props, value }),
    engagementMs: looseEngagement(parameters.get("_et")),
    scroll: ga4Scroll(name, percent_scrolled),
    passive: ga4Passive(name, non_interaction, parameters.get("ni")),
  });
}

/**
 * "ep.plan=pro" and "epn.seats=3" are the event's own parameters. User properties ("up.") belong to persons and are not
 * kept.
 */
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

/** Two letters begin each field of "pr1=idA1~nmMat~brB~pr6.25~qt2". */
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
    const parts = partsOf(parameters.get(key) ?? "").flatMap((part) => {
      const name = PRODUCT_PARTS.get(part.slice(0, 2));
      return name === undefined ? [] : [[name, firstText(part.slice(2))] as const];
    });
    return Object.fromEntries(parts);
  });
}

/**
 * The fields between single tildes. The tag doubles a tilde that belongs to a text: "nmA~~B~qt1" is "nmA~B" and "qt1".
 */
function partsOf(item: string): readonly string[] {
  return (item.match(/(?:[^~]|~~)+/g) ?? []).map((part) => part.replaceAll("~~", "~"));
}

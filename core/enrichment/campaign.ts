// What a link says of itself: campaign parameters, and the ids that advertisers add to links when they are clicked.
// Texts in parentheses are our own marks ("(none)", "(other)", "(gclid)"), and other products have similar ones. If a
// sender writes parentheses around such a text, they are removed or the text is ignored, so that it is never taken for
// a mark.

import { URL_LENGTH_MAX } from "../limits.ts";
import { parseQuery } from "./address.ts";
import { compose } from "./compose.ts";

export interface Campaign {
  readonly utm_source: string;
  /** The link's medium, else the mark of its click id, such as "(gclid)". */
  readonly utm_medium: string;
  readonly utm_campaign: string;
  readonly utm_content: string;
  readonly utm_term: string;
  /** The advertiser that a click id names. Empty without one. */
  readonly clicked: string;
}

/** "paid": only paid clicks carry it. "shopping": a free listing. "link": on every link that leaves the network. */
type Click = "paid" | "shopping" | "link";

const CLICK_IDS: readonly (readonly [parameter: string, source: string, kind: Click])[] = [
  ["gclid", "Google", "paid"],
  ["gbraid", "Google", "paid"],
  ["wbraid", "Google", "paid"],
  ["dclid", "Google", "paid"],
  ["gad_source", "Google", "paid"],
  ["gad_campaignid", "Google", "paid"],
  ["gclsrc", "Google", "paid"],
  ["msclkid", "Bing", "paid"],
  ["ttclid", "TikTok", "paid"],
  ["twclid", "X", "paid"],
  ["yclid", "Yandex", "paid"],
  ["li_fat_id", "LinkedIn", "paid"],
  ["sccid", "Snapchat", "paid"],
  ["rdt_cid", "Reddit", "paid"],
  ["qclid", "Quora", "paid"],
  ["srsltid", "Google", "shopping"],
  ["fbclid", "Facebook", "link"],
  ["igshid", "Instagram", "link"],
  ["igsh", "Instagram", "link"],
  ["epik", "Pinterest", "link"],
  ["ysclid", "Yandex", "link"],
];

const RANKS: ReadonlyMap<string, number> = new Map(CLICK_IDS.map(([parameter], rank) => [parameter, rank]));
const PAID_MARKS = marksOf("paid");
const SHOPPING_MARKS = marksOf("shopping");

function marksOf(wanted: Click): ReadonlySet<string> {
  return new Set(CLICK_IDS.flatMap(([parameter, , kind]) => (kind === wanted ? [`(${parameter})`] : [])));
}

/** Whether a medium is the mark of a click that was paid for. */
export function isPaidMark(medium: string): boolean {
  return PAID_MARKS.has(medium);
}

/** Whether a medium is the mark of a free listing in a search engine's shop. */
export function isShoppingMark(medium: string): boolean {
  return SHOPPING_MARKS.has(medium);
}

/** The campaign of a query. Undefined where the query names none. */
export function parseCampaign(query: string): Campaign | undefined {
  const parameters = parseQuery(query);
  const said = (name: string) => cleanValue(parameters.get(name) ?? "");
  const click = clickOf(parameters);
  const mark = click === undefined || click[2] === "link" ? "" : `(${click[0]})`;
  const utm_source = said("utm_source") || said("source") || said("ref");
  const utm_medium = said("utm_medium") || mark;
  const utm_campaign = said("utm_campaign");
  const utm_content = said("utm_content");
  const utm_term = said("utm_term");
  const clicked = click?.[1] ?? "";
  const isSilent = (utm_source || utm_medium || utm_campaign || utm_content || utm_term || clicked) === "";
  return isSilent ? undefined : { utm_source, utm_medium, utm_campaign, utm_content, utm_term, clicked };
}

/** The first click id, in the order of the list. */
function clickOf(parameters: ReadonlyMap<string, string>): (typeof CLICK_IDS)[number] | undefined {
  let first = CLICK_IDS.length;
  for (const name of parameters.keys()) first = Math.min(first, RANKS.get(name) ?? first);
  return CLICK_IDS[first];
}

/** Words that mean "nothing", in other products and in our answers. */
const NOTHING: ReadonlySet<string> = new Set([
  "none",
  "not set",
  "not provided",
  "direct",
  "other",
  "unset",
  "null",
  "undefined",
  "unknown",
  "empty",
  "blank",
]);

/** A value without blanks around it, in one spelling of Unicode, and never in parentheses. */
function cleanValue(raw: string): string {
  if (raw === "") return "";
  const text = raw.slice(0, URL_LENGTH_MAX / 4).trim();
  if (!/[^!-'*-~]/.test(text)) return text; // no blank, no parenthesis, nothing but ASCII: as most
  const inner = /^\((.*)\)$/s.exec(text)?.[1];
  if (inner === undefined) return /^direct \/ none$/i.test(text) ? "" : compose(text);
  return NOTHING.has(inner.trim().toLowerCase()) ? "" : cleanValue(inner);
}

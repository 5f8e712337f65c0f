// Whether where a hit comes from rules it out: the site that refers to it, the address it was sent from, or
// the network that address belongs to. What it takes are facts of the event: of an address, only the name of
// the exclusion it fell under.

import type { Event } from "../event.ts";
import { parseAddress } from "./address.ts";
import { DATA_CENTRES } from "./data-centre.ts";
import { decide, hasHost, type Matcher, type Verdict } from "./matcher.ts";
import type { Step } from "./opinion.ts";
import { SPAM_REFERRERS } from "./spam-referrer.ts";

/**
 * Step: drops what an import brought that was undone, whatever else is to be said of it: no drop of its own is counted
 * either.
 */
export const importRule: Step = (_event, opinion, { isUndone }) => {
  if (isUndone) opinion.dropped = "undone";
};

/** Step: drops what spam sites claim to have sent. */
export const referrerRule: Step = (event, opinion, matchers) => {
  if (opinion.dropped !== "" || event.referrer === "") return;
  const hostname = parseAddress(event.referrer)?.hostname ?? "";
  const say = ({ referrers }: Matcher): Verdict =>
    hasHost(referrers.admit, hostname) ? "admit" : hasHost(referrers.drop, hostname) ? "drop" : undefined;
  const ruled = decide(matchers, say);
  if (ruled === "drop" || (ruled === undefined && hasHost(SPAM_REFERRERS, hostname))) opinion.dropped = "referrer";
};

/** Step: drops what came from an excluded address, for as long as the exclusion stands. */
export const addressRule: Step = (event, opinion, { own, global }) => {
  if (opinion.dropped !== "" || event.excluded === "") return;
  const names = event.excluded.split("\n");
  const stands = [...own.addresses, ...global.addresses].some(({ name }) => names.includes(name));
  if (stands) opinion.dropped = "address";
};

/** Step: drops what came from an excluded autonomous system, and what a browser in a data centre has sent. */
export const networkRule: Step = (event, opinion, matchers) => {
  if (opinion.dropped !== "" || event.asn === 0) return;
  const say = ({ asns }: Matcher): Verdict =>
    asns.admit.has(event.asn) ? "admit" : asns.drop.has(event.asn) ? "drop" : undefined;
  const ruled = decide(matchers, say);
  const isBuiltIn = () => DATA_CENTRES.has(event.asn) && isFromBrowser(event);
  if (ruled === "drop" || (ruled === undefined && isBuiltIn())) opinion.dropped = "network";
};

/** Formats that only pages send, each hit with the visitor's own connection. */
const BROWSER_FORMATS: ReadonlySet<string> = new Set(["pixel"]);

/**
 * Whether the connection was the visitor's own browser's. Other formats are also spoken by merchants'
 * servers, which live in data centres and tell of visitors who do not: there, client hints have to prove the
 * browser, for no library sends them.
 */
function isFromBrowser({ format, hints }: Event): boolean {
  return BROWSER_FORMATS.has(format) || hints !== "";
}

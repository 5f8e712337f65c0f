// Whether an event is ruled out by where it comes from: the site that refers to it, the address that sent it, or the
// network of that address. The steps read facts of the event. Of an address the only fact is the name of the exclusion
// that it fell under.

import type { Event } from "../event.ts";
import { parseAddress } from "./address.ts";
import { DATA_CENTRES } from "./data-centre.ts";
import { decide, hasHost, type Matcher, type Verdict } from "./matcher.ts";
import type { Step } from "./opinion.ts";
import { SPAM_REFERRERS } from "./spam-referrer.ts";

/**
 * Step: drops events of an import that was undone. It overrides every other reason, so that an undone import leaves no
 * drops either.
 */
export const importRule: Step = (_event, opinion, { isUndone }) => {
  if (isUndone) opinion.dropped = "undone";
};

/** Step: drops events that spam sites claim to have sent. */
export const referrerRule: Step = (event, opinion, matchers) => {
  if (opinion.dropped !== "" || event.referrer === "") return;
  const hostname = parseAddress(event.referrer)?.hostname ?? "";
  const say = ({ referrers }: Matcher): Verdict =>
    hasHost(referrers.admit, hostname) ? "admit" : hasHost(referrers.drop, hostname) ? "drop" : undefined;
  const ruled = decide(matchers, say);
  if (ruled === "drop" || (ruled === undefined && hasHost(SPAM_REFERRERS, hostname))) opinion.dropped = "referrer";
};

/** Step: drops events of an excluded address, as long as the exclusion exists. */
export const addressRule: Step = (event, opinion, { own, global }) => {
  if (opinion.dropped !== "" || event.excluded === "") return;
  const names = event.excluded.split("\n");
  const stands = [...own.addresses, ...global.addresses].some(({ name }) => names.includes(name));
  if (stands) opinion.dropped = "address";
};

/** Step: drops events of an excluded autonomous system, and events that a browser in a data centre sent. */
export const networkRule: Step = (event, opinion, matchers) => {
  if (opinion.dropped !== "" || event.asn === 0) return;
  const say = ({ asns }: Matcher): Verdict =>
    asns.admit.has(event.asn) ? "admit" : asns.drop.has(event.asn) ? "drop" : undefined;
  const ruled = decide(matchers, say);
  const isBuiltIn = () => DATA_CENTRES.has(event.asn) && isFromBrowser(event);
  if (ruled === "drop" || (ruled === undefined && isBuiltIn())) opinion.dropped = "network";
};

/** Formats that only pages send. Each hit comes over the visitor's own connection. */
const BROWSER_FORMATS: ReadonlySet<string> = new Set(["pixel"]);

/**
 * Whether the connection was that of the visitor's own browser. Merchants' servers speak the other formats too. They
 * run in data centres and report visitors who do not. So in those formats client hints must prove the browser, because
 * no library sends them.
 */
function isFromBrowser({ format, hints }: Event): boolean {
  return BROWSER_FORMATS.has(format) || hints !== "";
}

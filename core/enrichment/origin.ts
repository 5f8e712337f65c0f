// Whether where a hit comes from rules it out: the site that refers to it, the address it was sent from, or the network that
// address belongs to. What it takes are facts of the event: of an address, only the name of the exclusion it fell under.

import { parseAddress } from "./address.ts";
import { decide, hasHost, type Matcher, type Verdict } from "./matcher.ts";
import type { Step } from "./opinion.ts";

/** Step: drops what spam sites claim to have sent. */
export const referrerRule: Step = (event, opinion, matchers) => {
  if (opinion.dropped !== "" || event.referrer === "") return;
  const hostname = parseAddress(event.referrer)?.hostname ?? "";
  const say = ({ referrers }: Matcher): Verdict =>
    hasHost(referrers.admit, hostname) ? "admit" : hasHost(referrers.drop, hostname) ? "drop" : undefined;
  if (decide(matchers, say) === "drop") opinion.dropped = "referrer";
};

/** Step: drops what came from an excluded address, for as long as the exclusion stands. */
export const addressRule: Step = (event, opinion, { own, global }) => {
  if (opinion.dropped !== "" || event.excluded === "") return;
  const names = event.excluded.split("\n");
  const stands = [...own.addresses, ...global.addresses].some(({ name }) => names.includes(name));
  if (stands) opinion.dropped = "address";
};

/** Step: drops what came from an excluded autonomous system. */
export const networkRule: Step = (event, opinion, matchers) => {
  if (opinion.dropped !== "" || event.asn === 0) return;
  const say = ({ asns }: Matcher): Verdict =>
    asns.admit.has(event.asn) ? "admit" : asns.drop.has(event.asn) ? "drop" : undefined;
  if (decide(matchers, say) === "drop") opinion.dropped = "network";
};

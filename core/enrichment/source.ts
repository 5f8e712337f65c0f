// Where a visit came from: its campaign parameters, else its referrer. Well-known hosts and apps get a name. The
// merchant's own hosts, and hosts that visitors only come back from (payment pages), are no source. Such an event is a
// return.

import { parseAddress } from "./address.ts";
import { type Campaign, parseCampaign } from "./campaign.ts";
import type { Matchers } from "./matcher.ts";
import type { Opinion, Step } from "./opinion.ts";
import { queryOf } from "./page.ts";
import { isReturnHost } from "./return-host.ts";
import { knownApp, knownHost, sourceName } from "./source-host.ts";
import { bare, spellPath, spellSource, withoutSlash } from "./spelling.ts";

/** Step: campaign parameters, referrer, source, and whether it is a return. */
export const source: Step = (event, opinion, matchers) => {
  if (event.referrer !== "") readReferrer(event.referrer, opinion, matchers);
  const query = queryOf(event); // most have none: what follows is of the query
  const campaign = query === "" ? undefined : parseCampaign(query);
  if (campaign !== undefined) readCampaign(campaign, opinion);
};

function readReferrer(referrer: string, opinion: Opinion, matchers: Matchers): void {
  const address = parseAddress(referrer);
  if (address === undefined || address.hostname === "") return;
  opinion.isReturn = isReturnHost(address.hostname, opinion.hostname, matchers);
  if (opinion.isReturn) return;
  const web = address.scheme === "http" || address.scheme === "https";
  const path = withoutSlash(spellPath(address.path));
  opinion.referrer = (web ? "" : `${address.scheme}://`) + bare(address.hostname) + path;
  const isApp = address.scheme === "android-app" || address.scheme === "ios-app";
  const known = web ? knownHost(address.hostname) : isApp ? knownApp(address.hostname) : undefined;
  opinion.source = known?.name ?? (web ? bare(address.hostname) : opinion.referrer);
}

/**
 * A link's own parameters win over its referrer. A click id gives campaign and medium only where the link names none.
 */
function readCampaign({ clicked, ...named }: Campaign, opinion: Opinion): void {
  Object.assign(opinion, named);
  opinion.isReturn = false;
  if (named.utm_source !== "") opinion.source = spellSource(sourceName(named.utm_source));
  else if (opinion.source === "") opinion.source = spellSource(clicked || named.utm_campaign || named.utm_medium);
}

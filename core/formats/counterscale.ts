// Counterscale. Its client sends `GET /cache`, by which the browser's cache tells it how often the browser came today.
// Then it sends `GET /collect`, a page view. Footfall tells visitors apart without that number (`ht`) and does not use
// it. It answers `/cache` because the client asks for it before every page view.

import { parseParameters } from "../enrichment/address.ts";
import { BLANK_DRAFT, type Draft, type Format, type Hit } from "../hit.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import { DAY_MS } from "../time.ts";
import { firstLanguage, readTexts, type TextField } from "./field.ts";
import { type Answer, image, json, problemOf, refusal } from "./hit-reply.ts";
import { absoluteUrl, browserAgent, forwardedAddress, namedBySite, withCampaign } from "./loose.ts";

const TEXTS = [
  ["p", "url"],
  ["r", "referrer"],
] as const satisfies readonly TextField[];

const CAMPAIGN = { us: "utm_source", um: "utm_medium", uc: "utm_campaign", ut: "utm_term", uco: "utm_content" };

export const counterscale: Format = {
  name: "counterscale",
  parse,
  answer: ({ outcome }) => {
    const problem = problemOf(outcome);
    return problem === undefined ? image() : refusal(problem);
  },
};

function parse(hit: Hit): Outcome<readonly Outcome<Draft>[]> {
  const parameters = parseParameters(hit.query);
  const site = parameters.get("sid") ?? "";
  if (site === "") return rejected("missing_field", "sid is missing");
  const texts = readTexts(TEXTS, Object.fromEntries(parameters));
  if (!texts.ok) return texts;
  const hostname = (parameters.get("h") ?? "").replace(/^[a-z]+:\/\//i, "").replace(/[/?#].*$/s, "");
  const page = absoluteUrl(texts.value.url || "/", hostname);
  const campaign = Object.entries(CAMPAIGN).map(([short, name]) => [name, parameters.get(short)] as const);
  const named = namedBySite(site);
  return accepted([
    accepted({
      ...BLANK_DRAFT,
      ...named,
      name: "pageview",
      url: withCampaign(page, Object.fromEntries(campaign)),
      referrer: texts.value.referrer,
      userAgent: browserAgent(hit, named),
      claimedAddress: forwardedAddress(hit.forwardedFor),
      language: firstLanguage(hit.acceptLanguage),
    }),
  ]);
}

/**
 * How many hits this browser made today: 1, 2, then always 3. The number is kept as the seconds of the date that the
 * browser was told last. A date of another day begins anew.
 */
export function hitCount({ query, ifModifiedSince, receivedAt }: Hit): Answer {
  if ((parseParameters(query).get("sid") ?? "") === "") return json(400, { error: "sid is missing" });
  const midnight = Math.floor(receivedAt / DAY_MS) * DAY_MS;
  const told = Date.parse(ifModifiedSince);
  const isToday = told >= midnight && told < midnight + DAY_MS;
  const count = isToday ? Math.min(3, Math.floor((told - midnight) / 1000) + 1) : 1;
  const headers = {
    "Last-Modified": new Date(midnight + count * 1000).toUTCString(),
    "Cache-Control": "no-cache",
  };
  return json(200, { ht: count }, headers);
}

// The pixel, `GET /v1/pixel.gif`: a page view for pages without script. The query string and the headers hold
// everything. The page is the address that asked for the image.

import { parseQuery } from "../enrichment/address.ts";
import { NO_AGENT } from "../enrichment/bot.ts";
import type { Format, Hit } from "../hit.ts";
import { image, problemOf, reportAnswer } from "./hit-reply.ts";
import { parseEvents } from "./native.ts";

/** Parameters that stand for event fields; the rest of the query is ignored. */
export const PIXEL_PARAMETERS = [
  "tracking_id",
  "id",
  "name",
  "url",
  "referrer",
  "title",
  "visitor_id",
  "language",
  "screen",
] as const;

export const pixel: Format = {
  name: "pixel",
  parse: (hit) => parseEvents(JSON.stringify(toEvent(hit)), hit),
  // The image, or a refusal, so that a developer who looks at the request sees why nothing is counted.
  answer: ({ outcome }) => (problemOf(outcome) === undefined ? image() : reportAnswer(outcome)),
};

/**
 * The fields of an event of the native format. Only a visitor's own agent asks for an image, so the header's agent is
 * the visitor's.
 */
function toEvent(hit: Hit): Record<string, string> {
  const parameters = parseQuery(hit.query);
  const event: Record<string, string> = { url: hit.referrer, user_agent: hit.userAgent || NO_AGENT };
  for (const name of PIXEL_PARAMETERS) {
    const value = parameters.get(name);
    if (value !== undefined && value !== "") event[name] = value;
  }
  return event;
}

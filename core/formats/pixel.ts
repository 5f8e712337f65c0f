// The pixel, `GET /v1/pixel.gif`: a page view for pages without script. Everything comes in the query string and the
// headers; the page is the address the image was asked from.

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
  // The image, or a refusal: a developer looking at the request should see why nothing is counted.
  answer: ({ outcome }) => (problemOf(outcome) === undefined ? image() : reportAnswer(outcome)),
};

/** The same fields as an event of the native format; an image is only ever asked for by a visitor's own agent. */
function toEvent(hit: Hit): Record<string, string> {
  const parameters = parseQuery(hit.query);
  const event: Record<string, string> = { url: hit.referrer, user_agent: hit.userAgent || NO_AGENT };
  for (const name of PIXEL_PARAMETERS) {
    const value = parameters.get(name);
    if (value !== undefined && value !== "") event[name] = value;
  }
  return event;
}
